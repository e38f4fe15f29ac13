#include "cli/run.h"

#include <malloc.h>

int main(int count, char** words) {
  // A thread's heap grows by a page at a time, each with a call of the kernel's that stops the other threads' page
  // faults. What is taken here is address space, not memory. Freed memory is kept, for the next batch needs it.
  mallopt(M_TOP_PAD, 24 << 20);
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 48 << 20);
  return mailbraid::cli::run(std::vector<std::string>(words + (count > 0 ? 1 : 0), words + count));
}
