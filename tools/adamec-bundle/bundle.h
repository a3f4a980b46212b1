#pragma once

#include <string>

#include "adamec/archive/archive.h"
#include "adamec/base/folder.h"
#include "adamec/v1/bundle.pb.h"

namespace adamec::tools {

inline constexpr int kBundleFormatVersion = 1;
inline constexpr char kBundleFile[] = "bundle.json";

// Fills the folder: per tier a folder of TorchScript files, and bundle.json, explained in
// README.md beside this file. A file that several tiers need is the same file
// in each of their folders (a hard link).
//
// Throws Error when the request does not fit the archive.
void write_bundle(const v1::BundleRequest& request, const archive::Reader& archive,
                  OutputFolder& folder);

}  // namespace adamec::tools
