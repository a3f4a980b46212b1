#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace adamec::archive {

// Writes a zip of stored entries whose first entry is known last: the others go to the disk, behind
// room left for it, while it is still being made. Libraries write a file's entries in order, or the
// late one at the end. Same entries and room, same bytes. Sizes and counts beyond the old limits of
// the format are written as zip64 says
// (https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT).
class ZipWriter {
 public:
  // Writes into the existing file `path`; `name` is what messages call it. The first entry will
  // have at most `room` bytes.
  ZipWriter(const std::string& path, const std::string& name, std::string first_entry,
            std::uint64_t room);
  ~ZipWriter();
  ZipWriter(const ZipWriter&) = delete;
  ZipWriter& operator=(const ZipWriter&) = delete;

  // Throws Error when the file cannot be written, or an entry of that name is there.
  void add(const std::string& entry, std::string_view bytes);
  // Writes the first entry and the directory. What it leaves of the room is an extra field of
  // zeros; what is more than such a field can hold stays unused.
  void finish(std::string_view first);

 private:
  struct WrittenEntry {
    std::string name;
    std::uint32_t crc = 0;
    std::uint64_t bytes = 0;
    std::uint64_t offset = 0;  // of its local header
  };
  class Buffer;

  void put(std::string_view bytes);
  void seek(std::uint64_t offset);
  // Header and bytes at `offset`, with an extra field of so many bytes (0, or 4 to 65,535).
  void put_entry(const WrittenEntry& entry, std::uint64_t extra_bytes, std::string_view bytes);
  void put_directory();

  std::string name_;
  std::string first_entry_;
  std::uint64_t room_ = 0;  // with the header
  std::uint64_t end_ = 0;   // of what was written
  std::unique_ptr<Buffer> file_;
  std::vector<WrittenEntry> entries_;  // without the first
  std::set<std::string> names_;
};

}  // namespace adamec::archive
