#!/bin/sh
# sh install_test.sh CMAKE SOURCE_DIR BUILD_DIR CXX NINJA
# Installs the build tree, moves the installed tree, and uses it from there as others would: by CMake (the system's own,
# the oldest at hand), by pkg-config, and by dlopen. Nothing installed may name the folders it was built in, or Halide.
set -eu
cmake=$1 source=$2 build=$3 cxx=$4 ninja=$5
scratch=$build/install_test
prefix=$scratch/moved
rm -rf "$scratch"
mkdir -p "$scratch"

fail() {
  echo "install_test: $*" >&2
  exit 1
}

"$cmake" --install "$build" --prefix "$scratch/first" --component library >"$scratch/install.log" ||
  fail "cmake --install: $(cat "$scratch/install.log")"
mv "$scratch/first" "$prefix"
(cd "$prefix" && find . -type f | sort)

if grep -rlF -e "$build" -e "$source/" "$prefix"; then
  fail "these files name a folder they were built in"
fi
if grep -rliE 'find_dependency\(Halide|Halide::|HalideRuntime\.h' "$prefix"; then
  fail "these files need Halide"
fi

consumers=$source/tests/install
system_cmake=$(PATH=/usr/local/bin:/usr/bin:/bin command -v cmake || echo "$cmake")
echo "consumers built by $("$system_cmake" --version | head -n 1)"
for project in cpp_consumer c_consumer; do
  "$system_cmake" -S "$consumers/$project" -B "$scratch/$project" -G Ninja "-DCMAKE_MAKE_PROGRAM=$ninja" \
    "-DCMAKE_CXX_COMPILER=$cxx" "-DCMAKE_PREFIX_PATH=$prefix" -DCMAKE_BUILD_TYPE=Release --no-warn-unused-cli
  "$system_cmake" --build "$scratch/$project"
done
for program in cpp_consumer/cpp_corrbank cpp_consumer/cpp_corrbank_shared \
  c_consumer/c_corrbank c_consumer/c_corrbank_shared; do
  "$scratch/$program" || fail "$program"
done

pc=$(find "$prefix" -name corrbank.pc)
library_dir=$(dirname "$(dirname "$pc")")
"$scratch/cpp_consumer/dlopen_corrbank" "$library_dir/libcorrbank.so" || fail "dlopen_corrbank"

if ! command -v pkg-config >/dev/null; then
  echo "pkg-config part left out: pkg-config is not installed"
  exit 0
fi
export PKG_CONFIG_PATH="$library_dir/pkgconfig"
# shellcheck disable=SC2046 # flags are words
"$cxx" -std=c++17 "$consumers/cpp_consumer/consumer.cpp" -o "$scratch/cpp_shared" $(pkg-config --cflags --libs corrbank)
# shellcheck disable=SC2046
cc -std=c99 "$consumers/c_consumer/consumer.c" -o "$scratch/c_shared" $(pkg-config --cflags --libs corrbank)
# shellcheck disable=SC2046
cc -std=c99 -static "$consumers/c_consumer/consumer.c" -o "$scratch/c_static" $(pkg-config --static --cflags --libs corrbank)
for program in cpp_shared c_shared c_static; do
  LD_LIBRARY_PATH=$library_dir "$scratch/$program" || fail "$program, built by pkg-config"
done
