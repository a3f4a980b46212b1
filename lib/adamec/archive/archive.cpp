#include "adamec/archive/archive.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <map>
#include <utility>

#include "adamec/archive/manifest.h"
#include "adamec/archive/zip_file.h"
#include "adamec/archive/zip_writer.h"
#include "adamec/base/error.h"
#include "adamec/base/sha256.h"

namespace adamec::archive {
namespace {

constexpr char kManifestName[] = "manifest.pb";
constexpr std::uint64_t kMaxManifestBytes = 512ULL << 20;

std::string serialise(const v1::Manifest& manifest) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    manifest.SerializeToCodedStream(&coded);
  }
  return bytes;
}

// Calls visit(record name, bytes) for every record a manifest names.
template <typename Visit>
void for_each_record(const v1::Manifest& manifest, Visit visit) {
  for (const v1::Atom& atom : manifest.atoms()) visit(atom.record(), atom.record_bytes());
  for (const v1::Tensor& tensor : manifest.tensors()) {
    if (!tensor.record().empty()) visit(tensor.record(), tensor.record_bytes());
  }
}

// The records must be exactly those of the manifest, in the sizes it gives.
void check_records(const v1::Manifest& manifest, std::map<std::string, std::uint64_t> found,
                   const std::string& source) {
  for_each_record(manifest, [&](const std::string& record, std::uint64_t bytes) {
    const auto at = found.find(record);
    if (at == found.end()) fail("{}: record '{}' is missing", source, printable(record));
    if (at->second != bytes) {
      fail("{}: record '{}' has {} bytes, the manifest says {}", source, printable(record),
           at->second, bytes);
    }
    found.erase(at);
  });
  if (!found.empty()) {
    fail("{}: record '{}' is not in the manifest", source, printable(found.begin()->first));
  }
}

}  // namespace

Writer::Writer(OutputFile& file) : file_(file) {}
Writer::~Writer() = default;

void Writer::start(std::uint64_t manifest_bytes) {
  zip_.reset();
  zip_ = std::make_unique<ZipWriter>(file_.temporary_path(), file_.name(), kManifestName,
                                     manifest_bytes);
  sizes_.clear();
}

void Writer::add(const Record& record) {
  zip_->add(record.name, record.bytes);
  sizes_[record.name] = record.bytes.size();
}

void Writer::write_manifest(const v1::Manifest& manifest) {
  check_manifest(manifest, file_.name());
  check_records(manifest, sizes_, file_.name());
  zip_->finish(serialise(manifest));
}

std::uint64_t manifest_bytes(const v1::Manifest& manifest) { return manifest.ByteSizeLong(); }

void write_archive(OutputFile& file, const v1::Manifest& manifest,
                   const std::vector<Record>& records) {
  Writer writer(file);
  writer.start(manifest_bytes(manifest));
  for (const Record& record : records) writer.add(record);
  writer.write_manifest(manifest);
}

Reader::~Reader() = default;
Reader::Reader(Reader&&) noexcept = default;
Reader& Reader::operator=(Reader&&) noexcept = default;

Reader Reader::open(const std::string& path) {
  return {display_name(path), std::make_unique<ZipFile>(path)};
}

Reader Reader::from_bytes(std::string bytes, const std::string& name) {
  return {name, std::make_unique<ZipFile>(std::move(bytes), name)};
}

Reader::Reader(std::string name, std::unique_ptr<ZipFile> zip)
    : name_(std::move(name)), zip_(std::move(zip)) {
  const auto& entries = zip_->entries();
  if (entries.empty() || entries.front().name != kManifestName) {
    fail("{}: not an atom archive (its first entry is '{}', expected '{}')", name_,
         entries.empty() ? "" : printable(entries.front().name), kManifestName);
  }
  if (entries.front().bytes > kMaxManifestBytes) {
    fail("{}: manifest of {} bytes, expected at most {}", name_, entries.front().bytes,
         kMaxManifestBytes);
  }
  manifest_ = std::make_unique<v1::Manifest>(parse_manifest(zip_->read(0), name_));
  graph_ = check_manifest(*manifest_, name_);
  std::map<std::string, std::uint64_t> records;
  for (const ZipFile::StoredEntry& entry : entries) records.emplace(entry.name, entry.bytes);
  records.erase(kManifestName);
  check_records(*manifest_, std::move(records), name_);
}

std::string Reader::read_record(const std::string& record, const std::string& sha256) const {
  const auto entry = zip_->find(record);
  if (!entry) fail("{}: record '{}' is missing", name_, printable(record));
  std::string bytes = zip_->read(*entry);
  const std::string actual = sha256_hex(bytes);
  if (actual != sha256) {
    fail("{}: record '{}': its SHA-256 is {}, the manifest says {}", name_, printable(record),
         actual, printable(sha256));
  }
  return bytes;
}

std::string Reader::read_atom(const v1::Atom& atom) const {
  return read_record(atom.record(), atom.sha256());
}

std::string Reader::read_weight(const v1::Tensor& tensor) const {
  return read_record(tensor.record(), tensor.sha256());
}

}  // namespace adamec::archive
