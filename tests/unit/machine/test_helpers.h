#pragma once

#include <functional>
#include <string>

#include "adamec/base/error.h"
#include "adamec/v1/samples.pb.h"

namespace adamec::testing {

// The message of the Error that the work throws; empty: none.
inline std::string error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

inline v1::Context make_context(unsigned threads, double load) {
  v1::Context context;
  context.set_threads(threads);
  context.set_cpu_load(load);
  return context;
}

}  // namespace adamec::testing
