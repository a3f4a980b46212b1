#include "adamec/machine/heap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <vector>

namespace adamec::machine {
namespace {

constexpr std::size_t kHole = 30'000;

// Leaves holes between blocks that stay, as earlier work does. Returns those that stay.
std::vector<void*> make_holes() {
  std::vector<void*> holes;
  std::vector<void*> between;
  for (std::size_t i = 0; i < 500; ++i) {
    holes.push_back(std::malloc(kHole + 64 * (i % 100)));
    between.push_back(std::malloc(2000));
  }
  for (void* const hole : holes) std::free(hole);
  return between;
}

std::uintptr_t address_of(const void* block) { return reinterpret_cast<std::uintptr_t>(block); }

// Whether what is allocated lies behind all that is there.
bool allocates_behind(const std::vector<void*>& blocks) {
  void* const block = std::malloc(kHole);
  const std::uintptr_t address = address_of(block);
  std::free(block);
  return std::all_of(blocks.begin(), blocks.end(),
                     [address](const void* other) { return address > address_of(other); });
}

TEST(TidyHeap, AllocatesBehindTheHolesAsLongAsItLives) {
#ifndef __GLIBC__
  GTEST_SKIP() << "skipped: not glibc";
#endif
  const std::vector<void*> blocks = make_holes();
  if (allocates_behind(blocks)) GTEST_SKIP() << "skipped: another malloc than glibc's";
  {
    const TidyHeap heap;
    EXPECT_TRUE(allocates_behind(blocks));
  }
  EXPECT_FALSE(allocates_behind(blocks));
  for (void* const block : blocks) std::free(block);
}

}  // namespace
}  // namespace adamec::machine
