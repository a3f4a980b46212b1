#include "adamec/archive/zip_writer.h"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include "adamec/archive/direct_file.h"
#include "adamec/base/error.h"

namespace adamec::archive {
namespace {

constexpr std::size_t kBufferBytes = 1 << 20;
constexpr std::uint64_t kWriteBehindBytes = 16 << 20;
// Larger pieces go past the system's cache, which takes several times as long to fill and to empty
// as the disk takes to write.
constexpr std::size_t kDirectBytes = 32 << 20;
constexpr std::uint16_t kDosDate = (1 << 5) | 1;   // 1980-01-01, the first day zip knows
constexpr std::uint32_t kMode = 0100644;           // a file that its owner may write
constexpr std::uint16_t kMadeBy = (3 << 8) | 45;   // Unix, version 4.5 of the format
constexpr std::uint16_t kPlain = 10, kZip64 = 45;  // versions needed to extract
constexpr std::uint16_t kZip64Field = 0x0001;
constexpr std::uint16_t kPaddingField = 0xd935;  // Android's zipalign pads with it
constexpr std::uint64_t kHeaderBytes = 30;       // of a local header, without name and field
constexpr std::uint64_t kFieldHeaderBytes = 4;
constexpr std::uint64_t kMost16 = std::numeric_limits<std::uint16_t>::max();
constexpr std::uint64_t kMost32 = std::numeric_limits<std::uint32_t>::max();

// Numbers in the byte order of zip files.
class Bytes {
 public:
  template <typename Number>
  Bytes& add(Number number) {
    for (std::size_t i = 0; i < sizeof(Number); ++i) {
      text_ += static_cast<char>(static_cast<std::uint64_t>(number) >> (8 * i));
    }
    return *this;
  }
  Bytes& add16(std::uint64_t number) { return add(static_cast<std::uint16_t>(number)); }
  // What does not fit is in the zip64 record instead.
  Bytes& most16(std::uint64_t number) { return add16(std::min(number, kMost16)); }
  Bytes& most32(std::uint64_t number) {
    return add(static_cast<std::uint32_t>(std::min(number, kMost32)));
  }
  Bytes& add(const std::string& text) {
    text_ += text;
    return *this;
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

std::string extra_field(std::uint16_t id, const std::string& content) {
  return Bytes().add(id).add16(content.size()).add(content).text();
}

std::uint32_t crc_of(std::string_view bytes) {
  return static_cast<std::uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

}  // namespace

// The file, with a buffer for its many small pieces.
class ZipWriter::Buffer {
 public:
  Buffer(const std::string& path, const std::string& name)
      : path_(path), name_(name), file_(std::fopen(path.c_str(), "r+be")) {
    if (file_ == nullptr || ::ftruncate(::fileno(file_), 0) != 0) stop();
    std::setvbuf(file_, memory_.get(), _IOFBF, kBufferBytes);
  }
  ~Buffer() {
    if (file_ != nullptr) std::fclose(file_);
  }

  // What is written goes to the disk at once, not only when all of it is there.
  void put(std::string_view bytes) {
    if (bytes.size() >= kDirectBytes) put_most_directly(bytes);
    if (std::fwrite(bytes.data(), 1, bytes.size(), file_) != bytes.size()) stop();
    position_ += bytes.size();
    waiting_ += bytes.size();
    if (waiting_ < kWriteBehindBytes) return;
    waiting_ = 0;
    ::sync_file_range(::fileno(file_), 0, 0, SYNC_FILE_RANGE_WRITE);
  }
  void seek(std::uint64_t offset) {
    position_ = offset;
    if (::fseeko(file_, static_cast<off_t>(offset), SEEK_SET) != 0) stop();
  }
  void close() {
    if (std::fclose(std::exchange(file_, nullptr)) != 0) stop();
  }

 private:
  // Leaves in `bytes` what has not been written.
  void put_most_directly(std::string_view& bytes) {
    const std::size_t head =
        (DirectFile::kBlockBytes - position_ % DirectFile::kBlockBytes) % DirectFile::kBlockBytes;
    put(bytes.substr(0, head));
    bytes.remove_prefix(head);
    if (std::fflush(file_) != 0) stop();
    if (!direct_) direct_.emplace(path_);
    const std::size_t written = direct_->write(position_, bytes);
    seek(position_ + written);
    bytes.remove_prefix(written);
  }

  [[noreturn]] void stop() const { fail("{}: cannot write: {}", name_, std::strerror(errno)); }

  const std::string path_;
  const std::string& name_;
  std::optional<DirectFile> direct_;
  std::uint64_t position_ = 0;
  std::unique_ptr<char[]> memory_ = std::make_unique_for_overwrite<char[]>(kBufferBytes);
  std::FILE* file_;
  std::uint64_t waiting_ = 0;
};

ZipWriter::ZipWriter(const std::string& path, const std::string& name, std::string first_entry,
                     std::uint64_t room)
    : name_(name),
      first_entry_(std::move(first_entry)),
      // Room for the header of an extra field, too: a smaller remainder could not be filled.
      room_(kHeaderBytes + first_entry_.size() + room + kFieldHeaderBytes),
      end_(room_),
      file_(std::make_unique<Buffer>(path, name_)),
      names_{first_entry_} {
  seek(end_);
}

ZipWriter::~ZipWriter() = default;

void ZipWriter::put(std::string_view bytes) {
  file_->put(bytes);
  end_ += bytes.size();
}

void ZipWriter::seek(std::uint64_t offset) {
  file_->seek(offset);
  end_ = offset;
}

void ZipWriter::put_entry(const WrittenEntry& entry, std::uint64_t extra_bytes,
                          std::string_view bytes) {
  const bool large = entry.bytes >= kMost32;
  std::string extra;
  if (large) extra = extra_field(kZip64Field, Bytes().add(entry.bytes).add(entry.bytes).text());
  if (extra_bytes > 0) {
    extra += extra_field(kPaddingField, std::string(extra_bytes - kFieldHeaderBytes, '\0'));
  }
  const std::uint64_t size = large ? kMost32 : entry.bytes;
  put(Bytes()
          .add(std::uint32_t{0x04034b50})
          .add(large ? kZip64 : kPlain)
          .add16(0)  // flags
          .add16(0)  // stored
          .add16(0)  // midnight
          .add(kDosDate)
          .add(entry.crc)
          .most32(size)
          .most32(size)
          .add16(entry.name.size())
          .add16(extra.size())
          .add(entry.name)
          .add(extra)
          .text());
  put(bytes);
}

void ZipWriter::add(const std::string& entry, std::string_view bytes) {
  if (entry.size() > kMost16) fail("{}: cannot write entry '{}': name too long", name_, entry);
  if (!names_.insert(entry).second) {
    fail("{}: cannot write entry '{}': it is there twice", name_, printable(entry));
  }
  entries_.push_back({entry, crc_of(bytes), bytes.size(), end_});
  put_entry(entries_.back(), 0, bytes);
}

void ZipWriter::finish(std::string_view first) {
  const std::uint64_t used = kHeaderBytes + first_entry_.size() + first.size();
  if (used + kFieldHeaderBytes > room_ || first.size() >= kMost32) {
    fail("{}: cannot write entry '{}': larger than expected", name_, printable(first_entry_));
  }
  const std::uint64_t end = end_;
  seek(0);
  entries_.insert(entries_.begin(), {first_entry_, crc_of(first), first.size(), 0});
  put_entry(entries_.front(), std::min(room_ - used, kMost16), first);
  seek(end);
  put_directory();
  file_->close();
}

void ZipWriter::put_directory() {
  const std::uint64_t start = end_;
  for (const WrittenEntry& entry : entries_) {
    Bytes large;
    if (entry.bytes >= kMost32) large.add(entry.bytes).add(entry.bytes);
    if (entry.offset >= kMost32) large.add(entry.offset);
    const std::string extra =
        large.text().empty() ? std::string() : extra_field(kZip64Field, large.text());
    put(Bytes()
            .add(std::uint32_t{0x02014b50})
            .add(kMadeBy)
            .add(extra.empty() ? kPlain : kZip64)
            .add16(0)  // flags
            .add16(0)  // stored
            .add16(0)  // midnight
            .add(kDosDate)
            .add(entry.crc)
            .most32(entry.bytes)
            .most32(entry.bytes)
            .add16(entry.name.size())
            .add16(extra.size())
            .add16(0)  // comment
            .add16(0)  // disk
            .add16(0)  // internal attributes
            .add(kMode << 16)
            .most32(entry.offset)
            .add(entry.name)
            .add(extra)
            .text());
  }
  const std::uint64_t size = end_ - start;
  const std::uint64_t count = entries_.size();
  if (count >= kMost16 || size >= kMost32 || start >= kMost32) {
    const std::uint64_t record = end_;
    put(Bytes()
            .add(std::uint32_t{0x06064b50})
            .add(std::uint64_t{44})  // of what follows in this record
            .add(kMadeBy)
            .add(kZip64)
            .add(std::uint32_t{0})  // this disk
            .add(std::uint32_t{0})  // the directory's
            .add(count)
            .add(count)
            .add(size)
            .add(start)
            .text());
    put(Bytes()
            .add(std::uint32_t{0x07064b50})
            .add(std::uint32_t{0})  // the record's disk
            .add(record)
            .add(std::uint32_t{1})  // disks
            .text());
  }
  put(Bytes()
          .add(std::uint32_t{0x06054b50})
          .add16(0)  // this disk
          .add16(0)  // the directory's
          .most16(count)
          .most16(count)
          .most32(size)
          .most32(start)
          .add16(0)  // comment
          .text());
}

}  // namespace adamec::archive
