#include "tools/common/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>

namespace adamec::tools {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kBarWidth = 30;
constexpr auto kRedrawInterval = std::chrono::milliseconds(100);

}  // namespace

Progress::Progress(std::string label, std::size_t total, bool quiet)
    : label_(std::move(label)),
      total_(std::max<std::size_t>(total, 1)),
      shown_(!quiet && ::isatty(STDERR_FILENO) == 1),
      start_(Clock::now()),
      drawn_(start_ - kRedrawInterval) {}

Progress::~Progress() {
  if (shown_) std::cerr << "\r\033[K" << std::flush;
}

void Progress::update(std::size_t done, std::size_t total) {
  total_ = std::max<std::size_t>(total, 1);
  update(done);
}

void Progress::update(std::size_t done) {
  const auto now = Clock::now();
  if (!shown_ || now - drawn_ < kRedrawInterval) return;
  drawn_ = now;
  done = std::min(done, total_);
  const std::size_t filled = kBarWidth * done / total_;
  const double elapsed = std::chrono::duration<double>(now - start_).count();
  const double left =
      done == 0 ? 0 : elapsed * static_cast<double>(total_ - done) / static_cast<double>(done);
  std::cerr << fmt::format("\r\033[K{} [{}{}] {}/{}  {:.0f} s left", label_,
                           std::string(filled, '#'), std::string(kBarWidth - filled, '.'), done,
                           total_, left)
            << std::flush;
}

bool colour_welcome() {
  const char* no_colour = std::getenv("NO_COLOR");
  return ::isatty(STDOUT_FILENO) == 1 && (no_colour == nullptr || *no_colour == '\0');
}

}  // namespace adamec::tools
