# Sourced by the scripts beside it: where things are, what to build with. No effects of its own.
# shellcheck shell=bash

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '%s\n' "$*" >&2; }
die() {
  say "$(basename "$0"): error: $*"
  exit 1
}
wrong_usage() {
  say "$(basename "$0"): error: $*; see --help"
  exit 2
}

# The comment at the top of the calling script, as its --help.
print_help() { sed -n '2,/^[^#]/{s/^# \{0,1\}//;t p;b;:p;p}' "$0"; }

# Shows a command the way one would type it, then runs it.
show_and_run() {
  local word line=
  for word in "$@"; do
    if [[ $word =~ [^A-Za-z0-9_./:,=+-] ]]; then word="'${word//\'/\'\\\'\'}'"; fi
    line+=" $word"
  done
  printf '\n$%s\n' "$line"
  "$@"
}

# version_at_least HAVE WANT
version_at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

# The first program of that name in PATH that runs and is new enough (wrappers that point to
# nothing are skipped): working_program NAME MINIMUM
working_program() {
  local program version
  while IFS= read -r program; do
    version=$("$program" --version 2>/dev/null | grep -oE '[0-9]+(\.[0-9]+)+' | head -n 1) || continue
    if [ -n "$version" ] && version_at_least "$version" "$2"; then
      printf '%s\n' "$program"
      return 0
    fi
  done < <(type -ap "$1" | awk '!seen[$0]++')
  return 1
}

# Where `setup --libtorch VERSION` puts LibTorch, and what CMAKE_PREFIX_PATH makes of it.
libtorch_folder() { printf '%s\n' "$ROOT/.deps/libtorch-$1"; }
libtorch_prefix() { printf '%s\n' "$(libtorch_folder "$1")/torch/share/cmake"; }

# The people's own LibTorch: the first entry of CMAKE_PREFIX_PATH that has one.
own_libtorch() {
  local entry place
  local -a entries
  IFS=':;' read -r -a entries <<<"${CMAKE_PREFIX_PATH:-}"
  for entry in "${entries[@]}"; do
    for place in "$entry/Torch" "$entry/share/cmake/Torch" "$entry/lib/cmake/Torch"; do
      if [ -f "$place/TorchConfig.cmake" ]; then
        printf '%s\n' "$entry"
        return 0
      fi
    done
  done
  return 1
}

# parallel_jobs MIB: how many processes of that size the cores and the free memory bear.
parallel_jobs() {
  local cores memory
  cores=$(nproc)
  memory=$(awk -v mib="$1" '/^MemAvailable/ {print int($2 / 1024 / mib)}' /proc/meminfo)
  if [ "$memory" -lt 1 ]; then memory=1; fi
  if [ "$memory" -lt "$cores" ]; then echo "$memory"; else echo "$cores"; fi
}

# Compilations that use LibTorch take up to 2 GiB each.
build_jobs() { parallel_jobs 2048; }

# Runs scripts/setup with the arguments; from then on CMake finds the LibTorch that it chose.
set_up() {
  local line
  line=$("$ROOT/scripts/setup" "$@")
  if [ -n "$line" ]; then
    export CMAKE_PREFIX_PATH=${line#CMAKE_PREFIX_PATH=}${CMAKE_PREFIX_PATH:+:$CMAKE_PREFIX_PATH}
  fi
}

# configure PRESET FOLDER
configure() {
  local preset=$1 folder=$ROOT/$2 cmake ninja chosen
  cmake=$(working_program cmake 3.22) || die "cmake 3.22 or newer is needed; run scripts/setup"
  ninja=$(working_program ninja 1.8) || die "ninja is needed; run scripts/setup"
  chosen=${CMAKE_PREFIX_PATH:-}
  # CMake would keep the LibTorch it found first.
  if [ -f "$folder/CMakeCache.txt" ] && [ "$(cat "$folder/libtorch-choice" 2>/dev/null)" != "$chosen" ]; then
    rm "$folder/CMakeCache.txt"
  fi
  mkdir -p "$folder"
  printf '%s\n' "$chosen" >"$folder/libtorch-choice"
  (cd "$ROOT" && "$cmake" --preset "$preset" -B "$folder" -DCMAKE_MAKE_PROGRAM="$ninja") \
    >"$folder/configure.log" 2>&1 || {
    cat "$folder/configure.log" >&2
    die "the build could not be configured"
  }
}

# build PRESET FOLDER [TARGET...]: configures and builds, targets or everything, and says how far it is.
build() {
  local folder=$ROOT/$2 cmake jobs
  jobs=$(build_jobs)
  say "building in $2, $jobs compilations at a time"
  configure "$1" "$2"
  shift 2
  cmake=$(working_program cmake 3.22)
  # Builds with another LibTorch share the objects that do not see it (and precompiled headers are
  # cached at all).
  export CCACHE_BASEDIR=$ROOT CCACHE_NOHASHDIR=1
  export CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
  export NINJA_STATUS=${NINJA_STATUS-[%f/%t %p, %es] }
  "$cmake" --build "$folder" --parallel "$jobs" ${1:+--target "$@"} >&2
}
