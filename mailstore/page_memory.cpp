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
  auto* const first = static_cast<unsigned char*>(block);
  const std::uintptr_t before = (kHugePage - reinterpret_cast<std::uintptr_t>(first) % kHugePage) % kHugePage;
  const std::size_t whole = octets > before ? (octets - before) / kHugePage * kHugePage : 0;
  if (whole > 0) ::madvise(first + before, whole, MADV_HUGEPAGE);
  std::free(block);
}

}  // namespace mailbraid::mailstore
