#include "adamec/machine/heap.h"

#include <cstddef>
#include <cstdlib>

#ifdef __GLIBC__
#include <malloc.h>
#include <unistd.h>
#endif

namespace adamec::machine {

#ifdef __GLIBC__

namespace {

constexpr std::size_t kLargest = std::size_t{1} << 30;
constexpr std::size_t kSmallest = std::size_t{1} << 11;  // smaller holes are found at once

// Where the heap ends and nothing has been allocated yet.
const char* top_of_heap() { return static_cast<const char*>(::sbrk(0)) - ::mallinfo2().keepcost; }

}  // namespace

// Blocks that fit into no hole are freed at once. Having seen some of up to 32 MiB go, glibc takes
// tensors of that size from the heap, too, as it does in any process after its first large tensors.
TidyHeap::TidyHeap() {
  ::malloc_trim(0);  // what is not used any more needs no memory either
  const char* const top = top_of_heap();
  for (std::size_t size = kLargest; size >= kSmallest; size -= size / 8) {
    while (void* const plug = std::malloc(size)) {
      const bool in_hole = static_cast<const char*>(plug) < top;
      if (!in_hole) {
        std::free(plug);
        break;
      }
      plugs_.push_back(plug);
    }
  }
}

TidyHeap::~TidyHeap() {
  for (void* const plug : plugs_) std::free(plug);
}

#else

TidyHeap::TidyHeap() = default;
TidyHeap::~TidyHeap() = default;

#endif

}  // namespace adamec::machine
