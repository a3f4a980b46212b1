#include "tools/adamec-bundle/bundle.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "adamec/archive/value.h"
#include "adamec/base/error.h"
#include "adamec/base/sha256.h"
#include "adamec/base/version.h"
#include "adamec/proto/tensor_type.h"
#include "adamec/torchscript/blocks/combine.h"
#include "tools/adamec-bundle/parts.h"
#include "tools/common/value_json.h"

namespace adamec::tools {
namespace {

using Json = nlohmann::ordered_json;

// A tier's name as the name of a folder: nothing but letters, digits, '_', '-' and inner dots.
std::string folder_name(const std::string& tier) {
  std::string name;
  for (char c : tier) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-' ||
                       (c == '.' && !name.empty());
    name += plain ? std::string(1, c) : fmt::format("%{:02x}", static_cast<unsigned char>(c));
  }
  return name;
}

class BundleWriter {
 public:
  BundleWriter(const v1::BundleRequest& request, const archive::Reader& archive,
               OutputFolder& folder)
      : request_(request),
        archive_(archive),
        manifest_(archive.manifest()),
        folder_(folder),
        parts_(make_parts(request, archive)),
        files_(static_cast<std::size_t>(request.tiers_size())) {}

  void write() {
    Json json{{"format_version", kBundleFormatVersion},
              {"adamec_version", version()},
              {"libtorch_version", manifest_.libtorch_version()},
              {"model", {{"name", manifest_.model_name()}, {"sha256", manifest_.model_sha256()}}}};
    make_folders();
    json["inputs"] = inputs();
    json["output"] = value_json(manifest_.output());
    Json blocks = Json::array();
    for (std::size_t i = 0; i < parts_.size(); ++i) blocks.push_back(write_part(i));
    Json constants = write_constants();
    Json state = write_state();
    json["tensors"] = tensors();
    json["tiers"] = tiers();
    json["blocks"] = std::move(blocks);
    if (!constants.empty()) json["constants"] = std::move(constants);
    if (!state.empty()) json["state"] = std::move(state);
    json["plans"] = Json::array();
    for (int i = 0; i < request_.plans_size(); ++i) json["plans"].push_back(plan(i));
    if (!request_.atlas().empty()) {
      folder_.write("atlas.pb", request_.atlas());
      json["atlas"] = {{"file", "atlas.pb"}, {"sha256", sha256_hex(request_.atlas())}};
    }
    folder_.write(kBundleFile, json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  }

 private:
  void make_folders() {
    for (const std::string& tier : request_.tiers()) {
      folders_.push_back(folder_name(tier));
      folder_.make_folder(folders_.back());
    }
  }

  Json inputs() {
    Json json = Json::array();
    for (const v1::Input& input : manifest_.inputs()) {
      json.push_back({{"name", input.name()}, {"value", value_json(input.value())}});
    }
    for (const v1::Tensor& tensor : manifest_.tensors()) {
      if (tensor.role() == v1::INPUT) used_.insert(tensor.id());
    }
    return json;
  }

  // Stores the file for every tier that needs it, once.
  void store(const std::string& file, const std::string& bytes, const std::set<int>& tiers) {
    std::string first;
    for (int tier : tiers) {
      const std::string name = folders_[tier] + "/" + file;
      if (first.empty()) {
        folder_.write(first = name, bytes);
      } else {
        folder_.link(first, name);
      }
      files_[tier].push_back(file);
    }
  }

  Json write_part(std::size_t index) {
    const BundlePart& part = parts_[index];
    const torchscript::BlockModule block = torchscript::combine(archive_, part.atoms);
    const std::string file = fmt::format("{:03}.pt", index);
    std::set<int> tiers;
    for (int plan = 0; plan < request_.plans_size(); ++plan) {
      tiers.insert(static_cast<int>(request_.plans(plan).blocks(part.blocks[plan]).tier()));
    }
    store(file, block.record, tiers);
    used_.insert(block.inputs.begin(), block.inputs.end());
    used_.insert(block.outputs.begin(), block.outputs.end());
    Json atoms = Json::array();
    for (int atom : part.atoms) atoms.push_back(manifest_.atoms(atom).id());
    return {{"block", index},
            {"file", file},
            {"bytes", block.record.size()},
            {"sha256", sha256_hex(block.record)},
            {"inputs", block.inputs},
            {"outputs", block.outputs},
            {"atoms", std::move(atoms)}};
  }

  std::set<int> everywhere() const {
    std::set<int> tiers;
    for (int tier = 0; tier < request_.tiers_size(); ++tier) tiers.insert(tier);
    return tiers;
  }

  // State before the first run, for all tiers: which of them holds it is up to the plan.
  Json write_state() {
    Json json = Json::array();
    for (const v1::Tensor& tensor : manifest_.tensors()) {
      if (tensor.role() != v1::STATE) continue;
      const std::string file = fmt::format("state{}.pt", json.size());
      store(file, archive_.read_weight(tensor), everywhere());
      used_.insert(tensor.id());
      json.push_back({{"state", tensor.id()},
                      {"next", tensor.next()},
                      {"file", file},
                      {"sha256", tensor.sha256()}});
    }
    return json;
  }

  // Parts of the result and of the next state that do not depend on the inputs, for all tiers.
  Json write_constants() {
    const auto returned = archive::constants_of(manifest_.output());
    std::set<std::string> ids(returned.begin(), returned.end());
    for (const v1::Tensor& tensor : manifest_.tensors()) ids.insert(tensor.next());
    Json json = Json::array();
    for (const v1::Tensor& tensor : manifest_.tensors()) {
      if (tensor.role() != v1::WEIGHT || ids.count(tensor.id()) == 0) continue;
      const std::string file = fmt::format("constant{}.pt", json.size());
      store(file, archive_.read_weight(tensor), everywhere());
      json.push_back({{"constant", tensor.id()}, {"file", file}, {"sha256", tensor.sha256()}});
    }
    return json;
  }

  Json tensors() const {
    Json json = Json::object();
    for (const v1::Tensor& tensor : manifest_.tensors()) {
      if (used_.count(tensor.id()) == 0) continue;
      json[tensor.id()] = {{"dtype", dtype_name(tensor.type().dtype())},
                           {"shape", Json(tensor.type().shape())},
                           {"bytes", tensor.bytes()}};
    }
    return json;
  }

  Json tiers() const {
    Json json = Json::array();
    for (int tier = 0; tier < request_.tiers_size(); ++tier) {
      json.push_back(
          {{"name", request_.tiers(tier)}, {"folder", folders_[tier]}, {"files", files_[tier]}});
    }
    return json;
  }

  Json plan(int index) const {
    const v1::BundleRequest::Plan& plan = request_.plans(index);
    Json json{{"plan", index},
              {"latency_ms", plan.latency_ms()},
              {"lower_bound_ms", plan.lower_bound_ms()},
              {"gap", plan.gap()}};
    json["blocks"] = Json::array();
    Json steps = Json::array();
    for (const auto& transfer : plan.transfers()) {
      const auto tiers_known = static_cast<std::uint32_t>(request_.tiers_size());
      if (transfer.from() >= tiers_known || transfer.to() >= tiers_known) {
        fail("plan {}: tensor '{}' is sent between tiers that do not exist", index,
             printable(transfer.tensor()));
      }
    }
    std::vector<char> sent(static_cast<std::size_t>(plan.transfers_size()), 0);
    std::set<std::pair<std::string, std::uint32_t>> at;  // tensors and where they are by now
    for (const auto& input : input_tensors()) at.insert({input, input_tier()});
    send(plan, sent, at, steps);
    for (int i = 0; i < plan.blocks_size(); ++i) {
      const auto& block = plan.blocks(i);
      Json parts = Json::array();
      for (std::size_t part = 0; part < parts_.size(); ++part) {
        if (parts_[part].blocks[index] != i) continue;
        parts.push_back(part);
        steps.push_back({{"run", part}, {"on", request_.tiers(static_cast<int>(block.tier()))}});
      }
      for (std::uint32_t atom : block.atoms()) {
        for (const auto& output : manifest_.atoms(static_cast<int>(atom)).outputs()) {
          at.insert({output, block.tier()});
        }
      }
      json["blocks"].push_back({{"tier", request_.tiers(static_cast<int>(block.tier()))},
                                {"blocks", std::move(parts)},
                                {"ms", block.ms()}});
      send(plan, sent, at, steps);
    }
    json["steps"] = std::move(steps);
    if (const auto left = std::find(sent.begin(), sent.end(), 0); left != sent.end()) {
      fail("plan {}: tensor '{}' is sent from a tier that never has it", index,
           printable(plan.transfers(static_cast<int>(left - sent.begin())).tensor()));
    }
    return json;
  }

  std::vector<std::string> input_tensors() const {
    std::vector<std::string> ids;
    for (const v1::Tensor& tensor : manifest_.tensors()) {
      if (tensor.role() == v1::INPUT) ids.push_back(tensor.id());
    }
    return ids;
  }

  std::uint32_t input_tier() const {
    for (int tier = 0; tier < request_.tiers_size(); ++tier) {
      if (request_.tiers(tier) == request_.input_tier()) return static_cast<std::uint32_t>(tier);
    }
    fail("there is no tier '{}' for the inputs", printable(request_.input_tier()));
  }

  // All transfers whose tensor is there by now, relays included.
  void send(const v1::BundleRequest::Plan& plan, std::vector<char>& sent,
            std::set<std::pair<std::string, std::uint32_t>>& at, Json& steps) const {
    for (bool again = true; again;) {
      again = false;
      for (int i = 0; i < plan.transfers_size(); ++i) {
        const auto& transfer = plan.transfers(i);
        if (sent[i] || at.count({transfer.tensor(), transfer.from()}) == 0) continue;
        sent[i] = 1;
        again = true;
        at.insert({transfer.tensor(), transfer.to()});
        steps.push_back({{"send", transfer.tensor()},
                         {"from", request_.tiers(static_cast<int>(transfer.from()))},
                         {"to", request_.tiers(static_cast<int>(transfer.to()))},
                         {"bytes", transfer.bytes()},
                         {"ms", transfer.ms()}});
      }
    }
  }

  const v1::BundleRequest& request_;
  const archive::Reader& archive_;
  const v1::Manifest& manifest_;
  OutputFolder& folder_;
  std::vector<BundlePart> parts_;
  std::vector<std::string> folders_;             // per tier
  std::vector<std::vector<std::string>> files_;  // per tier
  std::set<std::string> used_;                   // tensors that enter or leave a block
};

}  // namespace

void write_bundle(const v1::BundleRequest& request, const archive::Reader& archive,
                  OutputFolder& folder) {
  if (request.tiers().empty() || request.plans().empty()) fail("nothing to bundle");
  BundleWriter(request, archive, folder).write();
}

}  // namespace adamec::tools
