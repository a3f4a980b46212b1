#!/usr/bin/python3
"""Exports the model zoo as TorchScript files.

For development only: AdaMEC itself never needs Python. Takes PyTorch and torchvision, either
Debian's (python3-torch, python3-torchvision: `scripts/setup --dev`) or newer ones.

  models/export.py                              # every file of models/zoo.json, to models/cache/
  models/export.py --only resnet18 --only vgg16 # some of them
  models/export.py --committed --out models     # the small ones that are kept in git
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import sys
import time
import types
import warnings

HERE = pathlib.Path(__file__).resolve().parent


def example_input(spec: str):
    """A seeded example for an --input specification: float32[1,3,224,224], int64[1,128]<30522,
    int=3, or several of them as a list [a,b] or tuple (a,b)."""
    import torch

    if spec[0] in "[(":
        parts = re.split(r",(?![^\[]*\])", spec[1:-1])  # not at the commas inside shapes
        return (list if spec[0] == "[" else tuple)(example_input(part) for part in parts)
    if spec.startswith("int="):
        return int(spec[4:])
    match = re.fullmatch(r"(\w+)\[([\d,]*)\](<\d+)?", spec)
    if not match:
        raise SystemExit(f"zoo.json: input specification {spec!r} is not understood")
    shape = [int(size) for size in match[2].split(",") if size]
    generator = torch.Generator().manual_seed(1)
    if match[1].startswith("int"):
        bound = int(match[3][1:]) if match[3] else 2
        return torch.randint(0, bound, shape, generator=generator, dtype=getattr(torch, match[1]))
    return torch.randn(shape, generator=generator).to(getattr(torch, match[1]))


def load_networks():
    """networks.py with a relative file name: source locations end up inside the exported files
    and should be the same in every checkout."""
    os.chdir(HERE.parent)
    for name in ("more_networks", "networks"):
        module = types.ModuleType(name)
        module.__file__ = f"models/{name}.py"
        sys.modules[name] = module
        exec(compile((HERE / f"{name}.py").read_text(), module.__file__, "exec"), module.__dict__)
    return module


def export(entry: dict, form: str, path: pathlib.Path) -> None:
    warnings.simplefilter("ignore")
    networks = load_networks()
    partial = path.with_name(path.name + ".part")
    examples = tuple(example_input(spec) for spec in entry["inputs"])
    arguments = (entry["name"], form, examples, str(partial))
    # A thread has a call stack of its own, so that this script is not in the source locations.
    with concurrent.futures.ThreadPoolExecutor(1) as executor:
        executor.submit(networks.save, *arguments).result()
    partial.rename(path)


def in_own_process(job, *arguments) -> bool:
    """TorchScript numbers its type names in the order a process meets them; this way a file does
    not depend on which others were exported."""
    child = os.fork()
    if child == 0:
        try:
            job(*arguments)
            os._exit(0)
        except BaseException as error:  # the child must not fall into the parent's code
            print(f"export.py: error: {type(error).__name__}: {error}", file=sys.stderr)
            sys.stderr.flush()
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="NAME", action="append",
                        help="export this model, or this file (resnet18.traced); repeatable")
    parser.add_argument("--committed", action="store_true", help="export the files kept in git")
    parser.add_argument("--out", metavar="DIR", type=pathlib.Path, default=HERE / "cache",
                        help="where to (default: models/cache)")
    parser.add_argument("--force", action="store_true", help="also files that are there already")
    parser.add_argument("--list", action="store_true", help="print file names and inputs, and end")
    options = parser.parse_args()
    if os.environ.get("PYTHONHASHSEED") != "0":  # scripting iterates over sets
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, *sys.argv])

    zoo = json.loads((HERE / "zoo.json").read_text())["models"]
    files = [(entry, form) for entry in zoo for form in entry["forms"]]
    if options.only:
        known = {name for e, f in files for name in (e["name"], f"{e['name']}.{f}")}
        for name in set(options.only) - known:
            parser.error(f"--only {name}: no such model in zoo.json")
        files = [(e, f) for e, f in files
                 if e["name"] in options.only or f"{e['name']}.{f}" in options.only]
    if options.committed:
        files = [(e, f) for e, f in files if e.get("committed")]
    if options.list:
        for entry, form in files:
            print(f"{entry['name']}.{form}.pt", *entry["inputs"])
        return 0

    options.out.mkdir(parents=True, exist_ok=True)
    out = options.out.resolve()
    try:
        import torch  # once, before the forks
        import torchvision
    except ImportError as error:
        print(f"export.py: error: {error}; install python3-torch and python3-torchvision "
              "(scripts/setup --dev)", file=sys.stderr)
        return 1
    print(f"PyTorch {torch.__version__}, torchvision {torchvision.__version__}")
    failed = 0
    for entry, form in files:
        path = out / f"{entry['name']}.{form}.pt"
        if path.exists() and not options.force:
            print(f"{path.name}: is there already")
            continue
        start = time.monotonic()
        if in_own_process(export, entry, form, path):
            print(f"{path.name}: {path.stat().st_size / 1e6:.1f} MB in "
                  f"{time.monotonic() - start:.1f} s", flush=True)
        else:
            failed += 1
            print(f"{path.name}: failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
