// Reading an archive: the zip, its manifest, all records. The input is a file; or, when it starts
// with '*', a list of entries to put into a sound zip, so that names and contents get past the
// checks of the zip itself: per entry a byte for the length of its name, the name, two bytes for
// its size, its bytes.
#include <algorithm>

#include "adamec/archive/archive.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/archive/example_archive.h"

namespace adamec::fuzz {
namespace {

using Entries = std::vector<std::pair<std::string, std::string>>;

void append(std::string& bytes, std::uint64_t number, int width) {
  for (int i = 0; i < width; ++i, number >>= 8) bytes += static_cast<char>(number & 0xff);
}

std::uint32_t crc32(const std::string& bytes) {
  std::uint32_t crc = 0xffffffff;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xedb88320 : 0);
  }
  return ~crc;
}

// What local and central headers of a stored entry have in common.
std::string description(const std::string& name, const std::string& content) {
  std::string bytes;
  append(bytes, 10, 2);        // version
  append(bytes, 0, 2 + 2);     // flags, method: stored
  append(bytes, 0x210000, 4);  // 1980-01-01
  append(bytes, crc32(content), 4);
  append(bytes, content.size(), 4);
  append(bytes, content.size(), 4);
  append(bytes, name.size(), 2);
  append(bytes, 0, 2);  // extra fields
  return bytes;
}

std::string stored_zip(const Entries& entries) {
  std::string bytes;
  std::string directory;
  for (const auto& [name, content] : entries) {
    directory += "PK\x01\x02";
    append(directory, 10, 2);
    directory += description(name, content);
    append(directory, 0, 2 + 2 + 2 + 4);  // comment, disk, attributes
    append(directory, bytes.size(), 4);
    directory += name;
    bytes += "PK\x03\x04" + description(name, content) + name + content;
  }
  const std::uint64_t start = bytes.size();
  bytes += directory + "PK\x05\x06";
  append(bytes, 0, 4);
  append(bytes, entries.size(), 2);
  append(bytes, entries.size(), 2);
  append(bytes, directory.size(), 4);
  append(bytes, start, 4);
  append(bytes, 0, 2);
  return bytes;
}

std::string encoded(const Entries& entries) {
  std::string bytes = "*";
  for (const auto& [name, content] : entries) {
    append(bytes, name.size(), 1);
    bytes += name;
    append(bytes, content.size(), 2);
    bytes += content;
  }
  return bytes;
}

// Whatever is missing at the end is left out.
Entries decoded(const std::string& bytes) {
  Entries entries;
  std::size_t at = 1;
  const auto take = [&](std::size_t count) {
    count = std::min(count, bytes.size() - at);
    at += count;
    return bytes.substr(at - count, count);
  };
  const auto number = [&](std::size_t width) {
    std::size_t value = 0;
    int shift = 0;
    for (const char c : take(width)) {
      value |= static_cast<std::size_t>(static_cast<unsigned char>(c)) << shift;
      shift += 8;
    }
    return value;
  };
  while (at < bytes.size()) {
    const std::string name = take(number(1));
    entries.emplace_back(name, take(number(2)));
  }
  return entries;
}

}  // namespace

std::vector<std::string> seeds() {
  const Entries example = testing::entries_of(testing::example_archive());
  (void)archive::Reader::from_bytes(stored_zip(decoded(encoded(example))), "seed");  // it is sound
  return {encoded(example), testing::make_zip(example), testing::make_zip(example, true)};
}

}  // namespace adamec::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace adamec;
  std::string file(reinterpret_cast<const char*>(data), size);
  if (file.starts_with("*")) file = fuzz::stored_zip(fuzz::decoded(file));
  fuzz::expect_refused_or_read([&] {
    const auto reader = archive::Reader::from_bytes(file, "fuzz");
    std::size_t bytes = 0;
    for (const v1::Atom& atom : reader.manifest().atoms()) bytes += reader.read_atom(atom).size();
    for (const v1::Tensor& tensor : reader.manifest().tensors()) {
      if (tensor.role() == v1::WEIGHT) bytes += reader.read_weight(tensor).size();
    }
    fuzz::expect(bytes <= file.size(), "records fit into the file");
  });
  return 0;
}
