#include "tools/adamec-profile/export.h"

#include <fmt/format.h>

#include <functional>
#include <utility>
#include <vector>

namespace adamec::tools {
namespace {

using Json = nlohmann::ordered_json;

std::string subject_name(const v1::Sample& sample) {
  return v1::Subject_IsValid(sample.subject()) ? v1::Subject_Name(sample.subject()) : "?";
}

std::string operator_of(const v1::Sample& sample) {
  return sample.operators().empty() ? "" : sample.operators(0).name();
}

std::string joined(const google::protobuf::RepeatedPtrField<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

struct CsvColumn {
  const char* name;
  std::function<std::string(const v1::Sample&)> value;
};

template <typename Get>
CsvColumn number(const char* name, Get get) {
  return {name, [get](const v1::Sample& sample) { return fmt::format("{}", get(sample)); }};
}

std::vector<CsvColumn> identity_columns() {
  return {{"host", [](const v1::Sample& s) { return s.host_id(); }},
          {"subject", subject_name},
          {"atom", [](const v1::Sample& s) { return s.sample_atom(); }},
          {"operator", operator_of},
          {"backend", [](const v1::Sample& s) { return s.backend(); }},
          {"models", [](const v1::Sample& s) { return joined(s.models()); }},
          number("parts", [](const v1::Sample& s) { return s.parts_size(); }),
          number("macs", [](const v1::Sample& s) { return s.macs(); }),
          number("bytes_in", [](const v1::Sample& s) { return s.bytes_in(); }),
          number("bytes_out", [](const v1::Sample& s) { return s.bytes_out(); }),
          number("weight_bytes", [](const v1::Sample& s) { return s.weight_bytes(); }),
          number("peak_activation_bytes",
                 [](const v1::Sample& s) { return s.peak_activation_bytes(); })};
}

std::vector<CsvColumn> context_columns() {
  return {number("threads", [](const v1::Sample& s) { return s.context().threads(); }),
          number("cpu_load", [](const v1::Sample& s) { return s.context().cpu_load(); }),
          number("memory_limit", [](const v1::Sample& s) { return s.context().memory_limit(); }),
          number("cpu_quota", [](const v1::Sample& s) { return s.context().cpu_quota(); }),
          number("frequency", [](const v1::Sample& s) { return s.context().frequency(); }),
          {"device", [](const v1::Sample& s) { return s.context().device(); }},
          {"affinity", [](const v1::Sample& s) { return s.context().affinity(); }},
          number("observed_cpu_load", [](const v1::Sample& s) { return s.observed().cpu_load(); }),
          number("observed_cpu_pressure",
                 [](const v1::Sample& s) { return s.observed().cpu_pressure(); }),
          number("observed_memory_pressure",
                 [](const v1::Sample& s) { return s.observed().memory_pressure(); }),
          number("observed_free_memory",
                 [](const v1::Sample& s) { return s.observed().free_memory(); }),
          number("observed_frequency_mhz",
                 [](const v1::Sample& s) { return s.observed().frequency_mhz(); })};
}

std::vector<CsvColumn> latency_columns() {
  return {
      number("min_us", [](const v1::Sample& s) { return s.latency().min_us(); }),
      number("p50_us", [](const v1::Sample& s) { return s.latency().p50_us(); }),
      number("p95_us", [](const v1::Sample& s) { return s.latency().p95_us(); }),
      number("iqr_us", [](const v1::Sample& s) { return s.latency().iqr_us(); }),
      number("cpu_us", [](const v1::Sample& s) { return s.latency().cpu_us(); }),
      number("first_us", [](const v1::Sample& s) { return s.latency().first_us(); }),
      number("even_min_us", [](const v1::Sample& s) { return s.latency().even_min_us(); }),
      number("odd_min_us", [](const v1::Sample& s) { return s.latency().odd_min_us(); }),
      number("mean_us", [](const v1::Sample& s) { return s.latency().mean_us(); }),
      number("even_mean_us", [](const v1::Sample& s) { return s.latency().even_mean_us(); }),
      number("odd_mean_us", [](const v1::Sample& s) { return s.latency().odd_mean_us(); }),
      number("core_speed", [](const v1::Sample& s) { return s.latency().core_speed(); }),
      number("steady_us", [](const v1::Sample& s) { return s.latency().steady_us(); }),
      number("even_steady_us", [](const v1::Sample& s) { return s.latency().even_steady_us(); }),
      number("odd_steady_us", [](const v1::Sample& s) { return s.latency().odd_steady_us(); }),
      number("visits", [](const v1::Sample& s) { return s.latency().visits(); }),
      number("runs", [](const v1::Sample& s) { return s.latency().runs(); }),
      {"round", [](const v1::Sample& s) { return s.round(); }},
      {"signature", [](const v1::Sample& s) { return s.signature(); }}};
}

}  // namespace

Json host_json(const v1::Host& host) {
  return {{"id", host.id()},
          {"cpu", host.cpu_model()},
          {"cores", host.cores()},
          {"architecture", host.architecture()},
          {"frequency_governor", host.frequency_governor()},
          {"libtorch", host.libtorch_version()},
          {"blas", host.blas()},
          {"onednn", host.onednn()},
          {"openmp", host.openmp()}};
}

Json context_json(const v1::Context& context, bool observed) {
  Json json{{"threads", context.threads()}, {"cpu_load", context.cpu_load()}};
  if (context.memory_limit() > 0) json["memory_limit"] = context.memory_limit();
  if (context.cpu_quota() > 0) json["cpu_quota"] = context.cpu_quota();
  if (context.frequency() > 0) json["frequency"] = context.frequency();
  if (!context.device().empty()) json["device"] = context.device();
  if (!context.affinity().empty()) json["affinity"] = context.affinity();
  if (!observed) return json;
  json["cpu_pressure"] = context.cpu_pressure();
  json["memory_pressure"] = context.memory_pressure();
  json["free_memory"] = context.free_memory();
  json["frequency_mhz"] = context.frequency_mhz();
  return json;
}

Json sample_json(const v1::Sample& sample) {
  const v1::Latency& latency = sample.latency();
  Json json{{"atom", sample.sample_atom()},
            {"subject", subject_name(sample)},
            {"operator", operator_of(sample)},
            {"backend", sample.backend()},
            {"models", std::vector<std::string>(sample.models().begin(), sample.models().end())},
            {"macs", sample.macs()},
            {"bytes_in", sample.bytes_in()},
            {"bytes_out", sample.bytes_out()},
            {"weight_bytes", sample.weight_bytes()},
            {"signature", sample.signature()},
            {"host", sample.host_id()},
            {"context", context_json(sample.context())},
            {"observed", context_json(sample.observed(), true)},
            {"min_us", latency.min_us()},
            {"p50_us", latency.p50_us()},
            {"p95_us", latency.p95_us()},
            {"iqr_us", latency.iqr_us()},
            {"cpu_us", latency.cpu_us()},
            {"first_us", latency.first_us()},
            {"even_min_us", latency.even_min_us()},
            {"odd_min_us", latency.odd_min_us()},
            {"mean_us", latency.mean_us()},
            {"even_mean_us", latency.even_mean_us()},
            {"odd_mean_us", latency.odd_mean_us()},
            {"core_speed", latency.core_speed()},
            {"steady_us", latency.steady_us()},
            {"even_steady_us", latency.even_steady_us()},
            {"odd_steady_us", latency.odd_steady_us()},
            {"visits", latency.visits()},
            {"runs", latency.runs()},
            {"round", sample.round()}};
  if (sample.parts_size() > 0) {
    json["parts"] = std::vector<std::string>(sample.parts().begin(), sample.parts().end());
    json["edges"] = Json::array();
    for (const v1::Edge& edge : sample.edges()) {
      json["edges"].push_back({edge.producer(), edge.consumer(), edge.bytes()});
    }
  }
  if (sample.part_us_size() > 0) {
    json["part_us"] = std::vector<double>(sample.part_us().begin(), sample.part_us().end());
  }
  return json;
}

std::string samples_csv(std::span<const v1::Sample> samples) {
  std::vector<CsvColumn> columns = identity_columns();
  for (auto* more : {&context_columns, &latency_columns}) {
    for (const CsvColumn& column : more()) columns.push_back(column);
  }
  std::string text;
  for (const CsvColumn& column : columns)
    text += (text.empty() ? "" : ",") + std::string(column.name);
  text += "\n";
  for (const v1::Sample& sample : samples) {
    std::string row;
    for (const CsvColumn& column : columns) {
      if (&column != columns.data()) row += ",";
      row += csv_field(column.value(sample));
    }
    text += row + "\n";
  }
  return text;
}

}  // namespace adamec::tools
