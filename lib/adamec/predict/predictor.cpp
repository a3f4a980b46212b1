#include "adamec/predict/predictor.h"

#include <utility>

#include "adamec/base/error.h"
#include "adamec/base/file.h"
#include "adamec/predict/evaluator.h"
#include "adamec/predict/signature.h"
#include "adamec/proto/parse.h"

namespace adamec::predict {
namespace {

constexpr std::uint64_t kMaxFileBytes = 512ULL << 20;

}  // namespace

Predictor Predictor::load(const std::string& path) {
  const std::string name = display_name(path);
  const std::string bytes = read_file(path, kMaxFileBytes);
  if (bytes.empty()) fail("{}: the file is empty, expected a predictor", name);
  v1::Predictor message;
  if (!parse_message(message, bytes)) fail("{}: not a predictor, or truncated", name);
  return Predictor(std::move(message), name);
}

Predictor::Predictor(v1::Predictor message, const std::string& source)
    : evaluator_(std::make_unique<Evaluator>(std::move(message), source)) {}

Predictor::~Predictor() = default;
Predictor::Predictor(Predictor&&) noexcept = default;
Predictor& Predictor::operator=(Predictor&&) noexcept = default;

Prediction Predictor::predict(const v1::Atom& atom, const RunContext& context) const {
  return evaluator_->predict(work_of(atom, context.threads), signature(atom), context);
}

Prediction Predictor::predict(const v1::Sample& sample, const RunContext& context) const {
  return evaluator_->predict(work_of(sample, context.threads), sample.signature(), context);
}

const v1::Predictor& Predictor::message() const { return evaluator_->message(); }

}  // namespace adamec::predict
