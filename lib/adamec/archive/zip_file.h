#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace adamec::archive {

// A zip file whose entries are all stored, open for reading: the only use of libzip.
class ZipFile {
 public:
  struct StoredEntry {
    std::string name;
    std::uint64_t bytes = 0;
  };

  // "-" is standard input. Throws Error for anything but a consistent zip file of stored entries
  // with plain, distinct names and sizes that fit into the file.
  explicit ZipFile(const std::string& path);
  // The same from the file's bytes; `name` is what messages call it.
  ZipFile(std::string bytes, const std::string& name);
  ~ZipFile();
  ZipFile(const ZipFile&) = delete;
  ZipFile& operator=(const ZipFile&) = delete;

  [[nodiscard]] const std::vector<StoredEntry>& entries() const { return entries_; }
  // The entry of that name.
  [[nodiscard]] std::optional<std::size_t> find(const std::string& name) const;
  // Throws Error when the entry cannot be read or its checksum is wrong.
  [[nodiscard]] std::string read(std::size_t entry) const;

 private:
  struct Handle;
  void open_content();
  void list_entries(std::uint64_t file_bytes);

  std::string name_;
  std::string content_;  // where there is no file to read from
  std::unique_ptr<Handle> handle_;
  std::vector<StoredEntry> entries_;
};

}  // namespace adamec::archive
