#pragma once

namespace adamec::testing {

// How often the program that links count_allocations.cpp has allocated memory with `new`.
int allocations();

}  // namespace adamec::testing
