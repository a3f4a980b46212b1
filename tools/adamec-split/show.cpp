#include "tools/adamec-split/show.h"

#include <fstream>
#include <iostream>

#include "adamec/archive/archive.h"
#include "adamec/base/file.h"
#include "tools/adamec-split/diff.h"
#include "tools/adamec-split/inspect.h"
#include "tools/common/run_tool.h"

namespace adamec::tools {

// An archive's first entry is its manifest; a zip entry's name starts at byte 30.
bool is_archive(const std::string& path) {
  std::string start(41, '\0');
  std::ifstream(path, std::ios::binary).read(start.data(), 41);
  return start.substr(0, 4) == "PK\x03\x04" && start.substr(30) == "manifest.pb";
}

void show(const SplitToolOptions& options, bool json, const v1::Manifest& manifest) {
  if (!options.list && !json && options.dot.empty()) return;
  const ManifestView view(manifest, display_name(options.split.model));
  if (options.list) std::cout << list_atoms(view);
  if (json) std::cout << manifest_json(view);
  if (!options.dot.empty()) write_file(options.dot, atom_graph_dot(view));
}

int compare(const SplitToolOptions& options, bool json) {
  const auto found = differences(archive::Reader::open(options.diff[0]).manifest(),
                                 archive::Reader::open(options.diff[1]).manifest());
  std::cout << (json ? differences_json(found) : differences_text(found));
  return found.empty() ? kDone : kFailed;
}

}  // namespace adamec::tools
