#include "adamec/archive/zip_file.h"

#include <zip.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "adamec/base/error.h"
#include "adamec/base/file.h"

namespace adamec::archive {
namespace {

constexpr std::uint64_t kMaxEntries = 1'000'000;
constexpr std::size_t kHeadBytes = 64;  // what a file that is no archive is recognised by

std::string text_of(zip_error_t* error) {
  const bool twice = zip_error_code_zip(error) == ZIP_ER_EXISTS;
  const std::string text = twice ? "two entries have the same name" : zip_error_strerror(error);
  zip_error_fini(error);
  return text;
}

// What the file is instead of a zip, for people.
[[noreturn]] void fail_not_zip(const std::string& name, const std::string& head,
                               const std::string& reason) {
  if (head.empty()) fail("{}: the file is empty, expected an atom archive", name);
  if (head.starts_with("version https://git-lfs")) {
    fail("{}: a Git-LFS pointer, not the file itself; fetch it with 'git lfs pull'", name);
  }
  if (head.starts_with("PK")) fail("{}: damaged or truncated zip file ({})", name, reason);
  fail("{}: not an atom archive (not a zip file: {})", name, reason);
}

void check_entry_name(const std::string& entry, const std::string& name) {
  const auto plain = [](unsigned char c) { return c > 0x20 && c < 0x7f && c != '\\' && c != ':'; };
  bool good = !entry.empty() && std::all_of(entry.begin(), entry.end(), plain);
  for (std::size_t start = 0; good && start <= entry.size();) {
    const std::size_t end = std::min(entry.find('/', start), entry.size());
    const std::string part = entry.substr(start, end - start);
    good = !part.empty() && part != "." && part != "..";
    start = end + 1;
  }
  if (!good) fail("{}: unsafe entry name '{}'", name, printable(entry));
}

}  // namespace

struct ZipFile::Handle {
  zip_t* zip = nullptr;
  ~Handle() {
    if (zip != nullptr) zip_discard(zip);
  }
};

ZipFile::ZipFile(const std::string& path)
    : name_(display_name(path)), handle_(std::make_unique<Handle>()) {
  if (path == "-") {
    content_ = read_file(path);
    open_content();
    return;
  }
  std::error_code status;
  if (std::filesystem::is_directory(path, status)) fail("{}: is a folder", name_);
  std::ifstream file(path, std::ios::binary);
  if (!file) fail("{}: cannot open: {}", name_, std::strerror(errno));
  std::string head(kHeadBytes, '\0');
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(file.gcount()));
  const std::uint64_t file_bytes = std::filesystem::file_size(path, status);
  if (status) fail("{}: not a regular file; use '-' to read from a pipe", name_);
  int code = 0;
  handle_->zip = zip_open(path.c_str(), ZIP_RDONLY | ZIP_CHECKCONS, &code);
  if (handle_->zip == nullptr) {
    zip_error_t error;
    zip_error_init_with_code(&error, code);
    fail_not_zip(name_, head, text_of(&error));
  }
  list_entries(file_bytes);
}

ZipFile::ZipFile(std::string bytes, const std::string& name)
    : name_(name), content_(std::move(bytes)), handle_(std::make_unique<Handle>()) {
  open_content();
}

void ZipFile::open_content() {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* source = zip_source_buffer_create(content_.data(), content_.size(), 0, &error);
  if (source == nullptr) fail("{}: {}", name_, text_of(&error));
  handle_->zip = zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &error);
  if (handle_->zip == nullptr) {
    zip_source_free(source);
    fail_not_zip(name_, content_.substr(0, kHeadBytes), text_of(&error));
  }
  list_entries(content_.size());
}

ZipFile::~ZipFile() = default;

void ZipFile::list_entries(std::uint64_t file_bytes) {
  const auto count = static_cast<std::uint64_t>(zip_get_num_entries(handle_->zip, 0));
  if (count > kMaxEntries) fail("{}: {} entries, expected at most {}", name_, count, kMaxEntries);
  std::uint64_t left = file_bytes;
  for (std::uint64_t i = 0; i < count; ++i) {
    zip_stat_t stat;
    if (zip_stat_index(handle_->zip, i, ZIP_FL_ENC_RAW, &stat) != 0) {
      fail("{}: entry {}: {}", name_, i, zip_strerror(handle_->zip));
    }
    const std::string entry = stat.name == nullptr ? "" : stat.name;
    check_entry_name(entry, name_);
    if (stat.comp_method != ZIP_CM_STORE || stat.size != stat.comp_size) {
      fail("{}: entry '{}' is compressed, expected stored", name_, printable(entry));
    }
    if (stat.encryption_method != ZIP_EM_NONE) {
      fail("{}: entry '{}' is encrypted", name_, printable(entry));
    }
    if (stat.size > left) {
      fail("{}: entry '{}' claims {} bytes, more than the file of {} bytes has", name_,
           printable(entry), stat.size, file_bytes);
    }
    left -= stat.size;
    entries_.push_back({entry, stat.size});
  }
  std::vector<std::string> names;
  for (const StoredEntry& entry : entries_) names.push_back(entry.name);
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) fail("{}: two entries are called '{}'", name_, printable(*twice));
}

std::optional<std::size_t> ZipFile::find(const std::string& name) const {
  const zip_int64_t index = zip_name_locate(handle_->zip, name.c_str(), ZIP_FL_ENC_RAW);
  return index < 0 ? std::nullopt : std::optional<std::size_t>(index);
}

std::string ZipFile::read(std::size_t entry) const {
  const StoredEntry& wanted = entries_.at(entry);
  zip_file_t* file = zip_fopen_index(handle_->zip, entry, 0);
  if (file == nullptr) {
    fail("{}: entry '{}': {}", name_, wanted.name, zip_strerror(handle_->zip));
  }
  std::string bytes(wanted.bytes, '\0');
  std::size_t done = 0;
  zip_int64_t count = 1;
  while (count > 0) {  // one read past the end, where libzip compares the checksum
    char past_end = 0;
    const bool full = done == bytes.size();
    count = full ? zip_fread(file, &past_end, 1)
                 : zip_fread(file, bytes.data() + done, bytes.size() - done);
    if (full || count < 0) break;
    done += static_cast<std::size_t>(count);
  }
  const std::string reason = count < 0 ? zip_file_strerror(file) : "";
  zip_fclose(file);
  if (!reason.empty()) fail("{}: entry '{}': {}", name_, wanted.name, reason);
  if (done != bytes.size() || count != 0) {
    fail("{}: entry '{}': its size is not the {} bytes claimed", name_, wanted.name, bytes.size());
  }
  return bytes;
}

}  // namespace adamec::archive
