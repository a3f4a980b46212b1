#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "adamec/base/file.h"
#include "adamec/graph/atom_graph.h"
#include "adamec/v1/archive.pb.h"

// Atom archives (.atoms): a plain zip whose entries are stored, not compressed. `manifest.pb` comes
// first, then one TorchScript file per atom ("atoms/<id>.pt") and per shared weight
// ("weights/<name>.pt"). Reading needs neither LibTorch nor more memory than the manifest.
namespace adamec::archive {

inline constexpr std::uint32_t kArchiveFormatVersion = 1;

struct Record {
  std::string name;   // "atoms/conv1.conv2d.pt"
  std::string bytes;  // a TorchScript file
};

class ZipFile;
class ZipWriter;

// Writes an archive to file.temporary_path(); the caller commits. The records come first, so that
// they are on their way to the disk while the manifest is still being made. Same input, same bytes.
class Writer {
 public:
  explicit Writer(OutputFile& file);
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Leaves room for a manifest of at most `manifest_bytes` (see manifest_bytes() below). Again:
  // starts anew. Throws Error when the file cannot be written.
  void start(std::uint64_t manifest_bytes);
  // Writes the next record. Throws Error when the file cannot be written.
  void add(const Record& record);
  // Completes the file. Throws Error when it cannot be written or when what was written could not
  // be read back (the checks of Reader::open, hashes excepted).
  void write_manifest(const v1::Manifest& manifest);

 private:
  OutputFile& file_;
  std::unique_ptr<ZipWriter> zip_;
  std::map<std::string, std::uint64_t> sizes_;  // of the records that are written
};

// What the manifest takes in an archive.
[[nodiscard]] std::uint64_t manifest_bytes(const v1::Manifest& manifest);

// All of it at once.
void write_archive(OutputFile& file, const v1::Manifest& manifest,
                   const std::vector<Record>& records);

// An archive open for reading. Nothing in the file is trusted.
class Reader {
 public:
  // "-" is standard input. Throws Error, in one line, unless the file is a zip of stored entries
  // that holds exactly the records its manifest names, in the sizes it names, and the manifest
  // passes check_manifest(). Contents of records are checked when they are read.
  [[nodiscard]] static Reader open(const std::string& path);
  // The same from the file's bytes; `name` is what messages call it.
  [[nodiscard]] static Reader from_bytes(std::string bytes, const std::string& name);
  ~Reader();
  Reader(Reader&&) noexcept;
  Reader& operator=(Reader&&) noexcept;

  [[nodiscard]] const v1::Manifest& manifest() const { return *manifest_; }
  // Atoms and tensors in manifest order; inputs and weights are tensors without producer.
  [[nodiscard]] const graph::AtomGraph& graph() const { return graph_; }
  // The bytes of a record: a TorchScript file. Throws Error when they disagree with the SHA-256 in
  // the manifest. Not to be called by two threads at once.
  [[nodiscard]] std::string read_atom(const v1::Atom& atom) const;
  [[nodiscard]] std::string read_weight(const v1::Tensor& tensor) const;
  // The file's name in messages.
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  Reader(std::string name, std::unique_ptr<ZipFile> zip);
  [[nodiscard]] std::string read_record(const std::string& record, const std::string& sha256) const;

  std::string name_;
  std::unique_ptr<ZipFile> zip_;
  std::unique_ptr<v1::Manifest> manifest_;
  graph::AtomGraph graph_;
};

}  // namespace adamec::archive
