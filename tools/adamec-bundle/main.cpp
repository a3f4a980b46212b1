#include <fmt/format.h>

#include "adamec/base/error.h"
#include "adamec/base/file.h"
#include "adamec/proto/parse.h"
#include "tools/adamec-bundle/bundle.h"
#include "tools/common/run_tool.h"

int main(int argc, char** argv) {
  using namespace adamec;
  using namespace adamec::tools;
  const ToolInfo info{"adamec-bundle",
                      "The part of adamec-plan --bundle that needs LibTorch; adamec-plan runs it.",
                      "  adamec-plan m.atoms --context context.yaml --bundle out\n"
                      "  adamec-plan m.atoms --context context.yaml --atlas --bundle out\n",
                      fmt::format("bundle format {}", kBundleFormatVersion)};
  std::string archive;
  std::string request = "-";
  std::string output;
  return run_tool(
      argc, argv, info,
      [&](CLI::App& app) {
        app.add_option("archive", archive, "Atom archive")->type_name("M.atoms")->required();
        app.add_option("--request", request, "What to bundle (adamec.v1.BundleRequest)")
            ->type_name("FILE")
            ->capture_default_str();
        app.add_option("-o,--output", output, "The bundle")->type_name("DIR")->required();
      },
      [&](const CommonOptions&, const Console&) {
        v1::BundleRequest message;
        if (!parse_message(message, read_file(request))) {
          fail("{}: not a request of adamec-plan", display_name(request));
        }
        OutputFolder folder(output, kBundleFile);
        write_bundle(message, archive::Reader::open(archive), folder);
        folder.commit();
        return kDone;
      });
}
