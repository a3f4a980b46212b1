#include "adamec/measure/journal.h"

#include <fcntl.h>
#include <google/protobuf/io/coded_stream.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <utility>

#include "adamec/base/error.h"
#include "adamec/base/file.h"
#include "adamec/proto/parse.h"

namespace adamec::measure {
namespace {

bool plausible(const v1::Visit& visit) {
  const auto positive = [](double us) { return std::isfinite(us) && us > 0; };
  return visit.block_runs() > 0 && !visit.run_us().empty() &&
         visit.run_us_size() == visit.run_cpu_us_size() &&
         std::all_of(visit.run_us().begin(), visit.run_us().end(), positive);
}

}  // namespace

JournalFile::JournalFile(const std::string& path, const v1::Host& host, const v1::Journal& earlier)
    : path_(path), host_(host) {
  restart(earlier);
}

JournalFile::~JournalFile() { close(); }

void JournalFile::close() {
  if (file_ >= 0) ::close(std::exchange(file_, -1));
}

void JournalFile::restart(const v1::Journal& rest) {
  close();
  v1::Journal content;
  *content.add_hosts() = host_;
  *content.mutable_visits() = rest.visits();
  *content.mutable_readings() = rest.readings();
  write_file(path_, content.SerializeAsString());
  file_ = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  if (file_ < 0) fail("{}: cannot write: {}", path_, std::strerror(errno));
}

void JournalFile::append(const v1::Journal& entry) {
  const std::string bytes = entry.SerializeAsString();
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t written = ::write(file_, bytes.data() + done, bytes.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("{}: cannot write: {}", path_, std::strerror(errno));
    done += static_cast<std::size_t>(written);
  }
}

void JournalFile::add(const v1::Visit& visit) {
  v1::Journal entry;
  *entry.add_visits() = visit;
  append(entry);
}

void JournalFile::add(const v1::Reading& reading) {
  v1::Journal entry;
  *entry.add_readings() = reading;
  append(entry);
}

void JournalFile::remove() { ::unlink(path_.c_str()); }

v1::Journal read_journal(const std::string& path, const v1::Host& host) {
  v1::Journal journal;
  if (!std::filesystem::is_regular_file(path)) return journal;
  const std::string bytes = read_file(path);
  google::protobuf::io::CodedInputStream input(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                               static_cast<int>(bytes.size()));
  // Field by field: each is one entry, and what follows a damaged one cannot be trusted.
  while (const std::uint32_t tag = input.ReadTag()) {
    std::uint32_t size = 0;
    std::string entry;
    if ((tag & 7U) != 2 || !input.ReadVarint32(&size) ||
        !input.ReadString(&entry, static_cast<int>(size))) {
      break;
    }
    v1::Visit visit;
    v1::Reading reading;
    v1::Host writer;
    const std::uint32_t field = tag >> 3U;
    if (field == v1::Journal::kHostsFieldNumber) {
      if (!parse_message(writer, entry) || writer.id() != host.id()) return {};
    } else if (field == v1::Journal::kVisitsFieldNumber) {
      if (!parse_message(visit, entry) || !plausible(visit)) break;
      *journal.add_visits() = std::move(visit);
    } else if (field == v1::Journal::kReadingsFieldNumber) {
      if (!parse_message(reading, entry)) break;
      *journal.add_readings() = std::move(reading);
    }
  }
  return journal;
}

std::string journal_path(const std::string& samples) { return samples + ".visits"; }

}  // namespace adamec::measure
