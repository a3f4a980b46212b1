// Apart from what it watches: the compiler must not see through these operators.
#include "tests/unit/plan/count_allocations.h"

#include <cstdlib>
#include <new>

namespace {
int count = 0;
}  // namespace

void* operator new(std::size_t size) {
  ++count;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
// Sorting asks for this one; AddressSanitizer minds where only one of a pair is replaced.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++count;
  return std::malloc(size);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace adamec::testing {

int allocations() { return count; }

}  // namespace adamec::testing
