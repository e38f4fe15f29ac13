#include "mailstore/page_memory.h"

#include <cstdint>
#include <cstdlib>

#include <sys/mman.h>

namespace mailbraid::mailstore {
namespace {

// Of x86-64, and of arm64 with pages of 4 KiB.
constexpr std::uintptr_t kHugePage = std::uintptr_t{2} << 20U;

}  // namespace

void expectPages(std::size_t octets) noexcept {
  // A block of the thread's heap: the advice stays with its addresses when it is free again. Up to the first border of
  // a huge page they stay as they are.
  void* const block = std::malloc(octets);
  if (block == nullptr) return;
  const auto begin = (reinterpret_cast<std::uintptr_t>(block) + kHugePage - 1) & ~(kHugePage - 1);
  const auto end = (reinterpret_cast<std::uintptr_t>(block) + octets) & ~(kHugePage - 1);
  if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
  std::free(block);
}

}  // namespace mailbraid::mailstore
