# What the kernels are compiled for. CORRBANK_PLATFORM is a Halide target of architecture, bits and operating system;
# it follows the compiler unless it is given. Sets
#   architecture    the word that targets.cmake has for it
#   baseline        Halide features of what each of its CPUs has
#   baseline_taps   products of 16 bits that one instruction of those sums
#   base_target     the Halide target of every kernel, less the features of a corrbank target

if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
  set(platform x86)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64|arm)")
  set(platform arm)
else()
  set(platform "${CMAKE_SYSTEM_PROCESSOR}")
endif()
# A 64-bit processor can be told to run 32-bit programs.
math(EXPR bits "8 * ${CMAKE_SIZEOF_VOID_P}")
string(TOLOWER "${CMAKE_SYSTEM_NAME}" system)
string(APPEND platform "-${bits}-${system}")
if(CMAKE_OSX_SYSROOT MATCHES "simulator")
  string(APPEND platform "-simulator")
endif()
set(CORRBANK_PLATFORM "${platform}" CACHE STRING "What the kernels are compiled for, such as arm-64-linux")

set(platforms x86-64-linux x86-64-android
              arm-64-linux arm-64-android arm-64-ios arm-64-ios-simulator
              arm-32-linux arm-32-android)
set_property(CACHE CORRBANK_PLATFORM PROPERTY STRINGS ${platforms})
if(NOT CORRBANK_PLATFORM IN_LIST platforms)
  list(JOIN platforms ", " platforms)
  message(FATAL_ERROR "CORRBANK_PLATFORM is ${CORRBANK_PLATFORM}; there are kernels for ${platforms}")
endif()

set(baseline "")
set(baseline_taps 1)
if(CORRBANK_PLATFORM MATCHES "^x86-64")
  set(architecture x86_64)
  set(baseline_taps 2)
elseif(CORRBANK_PLATFORM MATCHES "^arm-64")
  set(architecture arm64)
else()
  set(architecture arm32)
  set(baseline no_neon)
endif()

# no_runtime, no_asserts: kernels allocate nothing, call nothing and cannot fail; runtime/validate.cpp is their wall.
set(base_target "${CORRBANK_PLATFORM}-no_runtime-no_asserts-no_bounds_query")
if(NOT architecture STREQUAL arm32)
  # Responses may span more than 2^31 elements; in 32 bits they cannot, and Halide refuses the feature.
  string(APPEND base_target "-large_buffers")
endif()
if(CORRBANK_SANITIZE STREQUAL "address")
  string(APPEND base_target "-asan")
endif()
