// One tier of a bundle as a process of its own: the other tiers are at the far ends of named pipes.
//
//   bundle_runner BUNDLE TIER PLAN FOLDER RUNS
//
// FOLDER holds the inputs (input.N, N counting from 0 in the order of the model's input tensors)
// and a pipe FROM-TO for every pair of tiers. Every run writes the results that are on this tier at
// its end to FOLDER/TIER.RUN.N, N counting the tensors and numbers of the output. Modules stay
// loaded.
#include <torch/script.h>

#include <cstdint>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

namespace {

using Json = nlohmann::json;

std::vector<char> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error(path + ": cannot open");
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const std::string& path, const std::vector<char>& bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<long>(bytes.size()));
}

// Tensors of a nested value, in order; a number is the only element of one.
void collect(const Json& value, std::vector<std::string>& ids) {
  for (const char* kind : {"tensor", "number"}) {
    if (value.contains(kind)) ids.push_back(value.at(kind));
  }
  for (const char* nested : {"tuple", "list", "dict"}) {
    if (!value.contains(nested)) continue;
    for (const Json& item : value.at(nested)) collect(item, ids);
  }
}

class Tier {
 public:
  Tier(const std::string& bundle, const std::string& name, std::size_t plan, std::string folder)
      : bundle_(Json::parse(read_file(bundle + "/bundle.json"))),
        plan_(bundle_.at("plans").at(plan)),
        name_(name),
        folder_(std::move(folder)) {
    for (const Json& tier : bundle_.at("tiers")) {
      if (tier.at("name") == name) files_ = bundle + "/" + tier.at("folder").get<std::string>();
    }
    for (const Json& step : plan_.at("steps")) {
      if (step.contains("run") && step.at("on") == name) load(step.at("run"));
    }
    for (const char* list : {"constants", "state"}) {
      for (const Json& entry : bundle_.value(list, Json::array())) {
        const std::string id = entry.at(std::string(list) == "state" ? "state" : "constant");
        const std::string file = entry.at("file");
        kept_[id] = torch::jit::load(files_ + "/" + file).forward({}).toTensor();
      }
    }
  }

  void run(int number) {
    tensors_ = kept_;
    read_inputs();
    for (const Json& step : plan_.at("steps")) {
      if (step.contains("run")) {
        if (step.at("on") == name_) run_block(step.at("run"));
      } else if (step.at("from") == name_) {
        send(step.at("send"), step.at("to"));
      } else if (step.at("to") == name_) {
        receive(step.at("send"), step.at("from"));
      }
    }
    std::vector<std::string> results;
    collect(bundle_.at("output"), results);
    for (std::size_t i = 0; i < results.size(); ++i) {
      if (tensors_.count(results[i]) == 0) continue;
      const std::string path =
          folder_ + "/" + name_ + "." + std::to_string(number) + "." + std::to_string(i);
      write_file(path, torch::jit::pickle_save(tensors_.at(results[i])));
    }
    for (const Json& state : bundle_.value("state", Json::array())) {
      const auto next = tensors_.find(state.at("next").get<std::string>());
      if (next != tensors_.end()) kept_[state.at("state")] = next->second;
    }
  }

 private:
  void load(std::size_t block) {
    const std::string file = bundle_.at("blocks").at(block).at("file");
    modules_.emplace(block, torch::jit::load(files_ + "/" + file));
  }

  void read_inputs() {
    std::vector<std::string> ids;
    for (const Json& input : bundle_.at("inputs")) collect(input.at("value"), ids);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const std::string path = folder_ + "/input." + std::to_string(i);
      if (bundle_.at("tiers").at(0).at("name") != name_) return;
      tensors_[ids[i]] = torch::jit::pickle_load(read_file(path)).toTensor();
    }
  }

  void run_block(std::size_t block) {
    const Json& description = bundle_.at("blocks").at(block);
    std::vector<c10::IValue> arguments;
    for (const std::string id : description.at("inputs")) arguments.emplace_back(tensors_.at(id));
    const c10::IValue result = modules_.at(block).forward(arguments);
    const std::vector<std::string> outputs = description.at("outputs");
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      tensors_[outputs[i]] =
          outputs.size() == 1 ? result.toTensor() : result.toTupleRef().elements().at(i).toTensor();
    }
  }

  std::string pipe(const std::string& from, const std::string& to) const {
    return folder_ + "/" + from + "-" + to;
  }

  void send(const std::string& id, const std::string& to) {
    std::ofstream& out = outgoing_[to];
    if (!out.is_open()) out.open(pipe(name_, to), std::ios::binary);
    const std::vector<char> bytes = torch::jit::pickle_save(tensors_.at(id));
    const std::uint64_t size = bytes.size();
    out.write(reinterpret_cast<const char*>(&size), sizeof size);
    out.write(bytes.data(), static_cast<long>(size));
    out.flush();
  }

  void receive(const std::string& id, const std::string& from) {
    std::ifstream& in = incoming_[from];
    if (!in.is_open()) in.open(pipe(from, name_), std::ios::binary);
    std::uint64_t size = 0;
    in.read(reinterpret_cast<char*>(&size), sizeof size);
    std::vector<char> bytes(size);
    if (!in.read(bytes.data(), static_cast<long>(size))) throw std::runtime_error("pipe is closed");
    tensors_[id] = torch::jit::pickle_load(bytes).toTensor();
  }

  Json bundle_;
  Json plan_;
  std::string name_;
  std::string folder_;
  std::string files_;
  std::map<std::size_t, torch::jit::Module> modules_;  // by block
  std::map<std::string, at::Tensor> kept_;             // constants, and state before the next run
  std::map<std::string, at::Tensor> tensors_;
  std::map<std::string, std::ofstream> outgoing_;
  std::map<std::string, std::ifstream> incoming_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) return 2;
  try {
    const at::NoGradGuard no_grad;
    Tier tier(argv[1], argv[2], std::stoul(argv[3]), argv[4]);
    for (int run = 0; run < std::stoi(argv[5]); ++run) tier.run(run);
  } catch (const std::exception& error) {
    std::cerr << argv[2] << ": " << error.what() << '\n';
    return 1;
  }
}
