#include "adamec/base/version.h"

namespace adamec {

std::string version() { return ADAMEC_VERSION; }

}  // namespace adamec
