#include "tools/adamec-split/options.h"

#include "adamec/base/error.h"
#include "adamec/graph/reduction.h"

namespace adamec::tools {

void define_options(CLI::App& app, SplitToolOptions& options) {
  app.add_option("model", options.split.model,
                 "TorchScript model to cut, or an archive for --list, --dot or --json")
      ->type_name("MODEL.pt");
  app.add_option("-o,--output", options.output, "Write the atom archive here")
      ->type_name("FILE.atoms");
  // A shape holds commas, so a list in the config file is the only way to give several at once.
  app.add_option(
         "-i,--input", options.split.inputs,
         "Type of the model's next argument, such as float32[1,3,224,224] (repeatable, see below)")
      ->type_name("SPEC")
      ->expected(1)
      ->allow_extra_args(false)  // or CLI11 takes [a,b] apart
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("--inputs-from", options.split.inputs_from,
                 "Take the arguments from a file that torch.save wrote (a tuple)")
      ->type_name("FILE");
  app.add_option("--load-library", options.split.libraries,
                 "Load custom operators from a shared library (repeatable)")
      ->type_name("FILE.so")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("--granularity", options.granularity,
                 "Size of the atoms: operator, or block (see below)")
      ->type_name("NAME")
      ->capture_default_str();
  app.add_option("--method", options.split.method, "Name of the method to cut")
      ->capture_default_str();
  app.add_flag("--dynamic{batch}", options.split.dynamic,
               "Keep sizes open: of the batch, or --dynamic=ARGUMENT:DIMENSION,... (see below)");
  app.add_option("--seed", options.split.seed,
                 "Random seed for the example inputs and the model's random operators")
      ->capture_default_str();
  app.add_flag("--list", options.list, "Print a table of the atoms");
  app.add_option("--dot", options.dot, "Write the atom graph in Graphviz's DOT language")
      ->type_name("FILE");
  app.add_option("--diff", options.diff,
                 "Print what changed between two archives (exit status: see below)")
      ->type_name("A.atoms B.atoms")
      ->expected(2);
  app.add_flag("--dry-run", options.dry_run, "Do everything but write the archive");
  app.add_flag("--no-verify", options.no_verify,
               "Skip comparing the atoms' results with the model's");
}

std::string split_details() {
  std::string text =
      "--input takes, one option per argument of the model:\n"
      "  float32[1,3,224,224]   a tensor of random numbers\n"
      "  'int64[1,128]<30522'   a tensor of integers from 0 to 30521; without a bound: 0 or 1\n"
      "  int=16000, float=0.5, bool=true, str=text, none\n"
      "  [a,b], (a,b), {key:a}  a list, tuple or dict of any of these\n"
      "\n"
      "--dynamic keeps open the first dimension of every tensor argument, --dynamic=x:0 that of "
      "x,\n"
      "--dynamic=ids:1=length,mask:1=length those two, which are always equal.\n"
      "\n"
      "--diff exits with 0 when the archives are the same and with 1 when they differ; also with "
      "1\n"
      "when one cannot be read, but then there is a line on stderr and nothing on stdout.\n"
      "\n"
      "--granularity operator makes one atom of each tensor operator; block merges the operators "
      "of\n"
      "each lossless block.\n"
      "\n"
      "Lossless blocks: sending a tensor inside one from tier to tier is never better than "
      "another\n"
      "cut, which sends no more and leaves no less on the faster tier. --list, --dot and --json\n"
      "show them. They assume that\n";
  for (const std::string& assumption : graph::reduction_assumptions()) {
    text += "  - " + assumption + "\n";
  }
  return text;
}

void check_options(SplitToolOptions& options, bool json) {
  if (!options.diff.empty()) {
    if (!options.split.model.empty() || !options.output.empty() || options.list ||
        !options.dot.empty()) {
      fail_with(ErrorKind::kUsage, "--diff takes two archives and no other option but --json");
    }
    return;
  }
  if (options.split.model.empty()) fail_with(ErrorKind::kUsage, "model is required (see --help)");
  if (options.granularity == "block") {
    options.split.granularity = torchscript::Granularity::kBlock;
  } else if (options.granularity != "operator") {
    fail_with(ErrorKind::kUsage, "--granularity: '{}' is not one of operator, block",
              printable(options.granularity));
  }
  const bool inspects = options.list || json || !options.dot.empty();
  if (options.output.empty() && !inspects && !options.dry_run) {
    fail_with(ErrorKind::kUsage,
              "nothing to do: give -o FILE.atoms, --list, --dot, --json or --dry-run");
  }
  if (!options.split.inputs.empty() && !options.split.inputs_from.empty()) {
    fail_with(ErrorKind::kUsage, "--input and --inputs-from exclude each other");
  }
  const int on_stdout = (options.output == "-" && !options.dry_run ? 1 : 0) +
                        (options.list ? 1 : 0) + (json ? 1 : 0) + (options.dot == "-" ? 1 : 0);
  if (on_stdout > 1) {
    fail_with(ErrorKind::kUsage, "only one of -o -, --list, --json and --dot - can use stdout");
  }
}

}  // namespace adamec::tools
