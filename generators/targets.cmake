# THE TABLE: every kernel corrbank compiles. Build, dispatch, tests, benchmarks and docs enumerate it.
#
# corrbank_target(NAME ARCHITECTURE HALIDE_FEATURES LANES), best first: a target is an ISA tier of an architecture
#   (x86_64, arm64, arm32 or any) with f32 vectors of LANES. A build has those of its own architecture.
# corrbank_kernel(NAME WALK POSITIONS KERNELS [SIZE]): a kernel row of the target above it. A tile holds POSITIONS x KERNELS
#   vector registers of sums (algorithm.h says what a position is in each walk).
#     rows:   KERNELS single kernels. Each target has a row of 1 kernel, and powers of two up to its widest, so that
#             any number of kernels is made of whole tiles; widths between them serve what is left over.
#     pixels: KERNELS vectors of kernels; LANES * KERNELS is 16, or LANES is 16 (a bank is packed in blocks of 16).
#     strips: strips of POSITIONS rows for KERNELS single kernels of SIZE x SIZE taps (strips_algorithm.h).
# corrbank_fft(NAME LANES SIZE...): the passes of the FFT for tiles of these sizes, LANES transforms at a time. More lanes than
#   8 fill the caches before they save time (Zen 4 splits wider vectors in two).
# corrbank_fft_product(NAME OVER POSITIONS KERNELS): a row for the products of its spectra (fft/products_generator.cpp).
# corrbank_winograd_transforms(NAME): the transforms of all of Winograd's variants (winograd.cmake).
# corrbank_winograd_product(NAME LANES_OVER POSITIONS KERNELS): a row for the products between them, in vectors over
#     tiles:   POSITIONS vectors of tiles x KERNELS kernels; many tiles, any number of kernels.
#     kernels: POSITIONS tiles x KERNELS vectors of kernels; few tiles, many kernels.
# corrbank_match(NAME POSITIONS): what matching templates needs beside correlations; of f64 sums POSITIONS vectors of columns (32
#   columns are whole tiles) x 4 kernels (match.cmake).
# corrbank_dots(NAME EXTENSION TAPS KERNELS...): sums of u8 in integers, TAPS products in one instruction, in tiles of 4 vectors of
#   columns x KERNELS, the most first and 1 last; for CPUs that have EXTENSION as well, or for all (dots.cmake).
# Tiles follow from the registers: 32 in AVX-512 (24 sums, 3 + 1 operands, the rest renamed) and 64-bit ARM, 16
# elsewhere. Larger ones were tried and spill (DECISIONS.md, 4).

corrbank_target(x86_avx512 x86_64 sse41-avx-avx2-fma-f16c-avx512_skylake 16)
corrbank_kernel(x86_avx512 rows 3 8)
corrbank_kernel(x86_avx512 rows 3 7)
corrbank_kernel(x86_avx512 rows 4 6)
corrbank_kernel(x86_avx512 rows 5 5)
corrbank_kernel(x86_avx512 rows 6 4)
corrbank_kernel(x86_avx512 rows 8 3)
corrbank_kernel(x86_avx512 rows 8 2)
corrbank_kernel(x86_avx512 rows 8 1)
corrbank_kernel(x86_avx512 strips 4 4 3)
corrbank_kernel(x86_avx512 strips 5 3 3)
corrbank_kernel(x86_avx512 strips 6 2 3)
corrbank_kernel(x86_avx512 strips 8 1 3)
corrbank_kernel(x86_avx512 pixels 5 4)
corrbank_kernel(x86_avx512 pixels 7 3)
corrbank_kernel(x86_avx512 pixels 8 2)
corrbank_kernel(x86_avx512 pixels 8 1)
corrbank_fft(x86_avx512 8 16 32 48 64 96 128 256)
corrbank_fft_product(x86_avx512 tiles 1 2)
corrbank_fft_product(x86_avx512 tiles 1 8)
corrbank_fft_product(x86_avx512 tiles 2 4)
corrbank_fft_product(x86_avx512 tiles 2 5)
corrbank_fft_product(x86_avx512 kernels 3 4)
corrbank_fft_product(x86_avx512 kernels 4 2)
corrbank_fft_product(x86_avx512 kernels 1 8)
corrbank_match(x86_avx512 4)
corrbank_dots(x86_avx512 avx512_vnni 4 4 2 1)
corrbank_dots(x86_avx512 none 2 4 2 1)
corrbank_winograd_transforms(x86_avx512)
corrbank_winograd_product(x86_avx512 tiles 1 25)
corrbank_winograd_product(x86_avx512 tiles 1 22)
corrbank_winograd_product(x86_avx512 tiles 1 16)
corrbank_winograd_product(x86_avx512 tiles 1 10)
corrbank_winograd_product(x86_avx512 tiles 1 8)
corrbank_winograd_product(x86_avx512 kernels 9 2)
corrbank_winograd_product(x86_avx512 kernels 12 1)
corrbank_winograd_product(x86_avx512 kernels 4 4)

corrbank_target(x86_avx2 x86_64 sse41-avx-avx2-fma-f16c 8)
corrbank_kernel(x86_avx2 rows 3 4)
corrbank_kernel(x86_avx2 rows 4 3)
corrbank_kernel(x86_avx2 rows 5 2)
corrbank_kernel(x86_avx2 rows 8 1)
corrbank_kernel(x86_avx2 strips 2 4 3)
corrbank_kernel(x86_avx2 strips 4 2 3)
corrbank_kernel(x86_avx2 strips 8 1 3)
corrbank_kernel(x86_avx2 pixels 5 2)
corrbank_fft(x86_avx2 8 16 32 48 64 96 128 256)
corrbank_fft_product(x86_avx2 tiles 1 2)
corrbank_fft_product(x86_avx2 tiles 1 4)
corrbank_fft_product(x86_avx2 kernels 3 1)
corrbank_fft_product(x86_avx2 kernels 1 2)
corrbank_match(x86_avx2 2)
corrbank_dots(x86_avx2 none 2 2 1)
corrbank_winograd_transforms(x86_avx2)
corrbank_winograd_product(x86_avx2 tiles 2 6)
corrbank_winograd_product(x86_avx2 tiles 2 5)
corrbank_winograd_product(x86_avx2 tiles 2 4)
corrbank_winograd_product(x86_avx2 kernels 6 2)
corrbank_winograd_product(x86_avx2 kernels 5 2)
corrbank_winograd_product(x86_avx2 kernels 4 3)

corrbank_target(x86_sse41 x86_64 sse41 4)
corrbank_kernel(x86_sse41 rows 2 4)
corrbank_kernel(x86_sse41 rows 4 2)
corrbank_kernel(x86_sse41 rows 6 1)
corrbank_kernel(x86_sse41 pixels 2 4)
corrbank_fft(x86_sse41 4 16 32 64 128 256)
corrbank_fft_product(x86_sse41 tiles 1 2)
corrbank_fft_product(x86_sse41 tiles 1 4)
corrbank_fft_product(x86_sse41 kernels 2 1)
corrbank_fft_product(x86_sse41 kernels 1 2)
corrbank_match(x86_sse41 2)
corrbank_dots(x86_sse41 none 2 2 1)
corrbank_winograd_transforms(x86_sse41)
corrbank_winograd_product(x86_sse41 tiles 2 5)
corrbank_winograd_product(x86_sse41 tiles 2 4)
corrbank_winograd_product(x86_sse41 kernels 4 2)

corrbank_target(arm64_neon arm64 "" 4)
corrbank_kernel(arm64_neon rows 3 8)
corrbank_kernel(arm64_neon rows 4 6)
corrbank_kernel(arm64_neon rows 5 5)
corrbank_kernel(arm64_neon rows 7 4)
corrbank_kernel(arm64_neon rows 8 3)
corrbank_kernel(arm64_neon rows 12 2)
corrbank_kernel(arm64_neon rows 12 1)
corrbank_kernel(arm64_neon strips 6 2 3)
corrbank_kernel(arm64_neon strips 8 1 3)
corrbank_kernel(arm64_neon pixels 6 4)
corrbank_fft(arm64_neon 4 16 32 48 64 96 128 256)
corrbank_fft_product(arm64_neon tiles 1 2)
corrbank_fft_product(arm64_neon tiles 1 4)
corrbank_fft_product(arm64_neon tiles 2 4)
corrbank_fft_product(arm64_neon kernels 3 2)
corrbank_fft_product(arm64_neon kernels 1 4)
corrbank_match(arm64_neon 4)
corrbank_dots(arm64_neon none 1 4 2 1)
corrbank_winograd_transforms(arm64_neon)
corrbank_winograd_product(arm64_neon tiles 3 8)
corrbank_winograd_product(arm64_neon tiles 4 5)
corrbank_winograd_product(arm64_neon kernels 8 3)
corrbank_winograd_product(arm64_neon kernels 6 4)

corrbank_target(arm32_neon arm32 "" 4)
corrbank_kernel(arm32_neon rows 1 7)
corrbank_kernel(arm32_neon rows 1 6)
corrbank_kernel(arm32_neon rows 1 4)
corrbank_kernel(arm32_neon rows 2 3)
corrbank_kernel(arm32_neon rows 3 2)
corrbank_kernel(arm32_neon rows 4 1)
corrbank_kernel(arm32_neon pixels 1 4)
corrbank_fft(arm32_neon 4 16 32 64 128 256)
corrbank_fft_product(arm32_neon tiles 1 2)
corrbank_fft_product(arm32_neon tiles 1 4)
corrbank_fft_product(arm32_neon kernels 2 1)
corrbank_fft_product(arm32_neon kernels 1 2)
corrbank_match(arm32_neon 2)
corrbank_dots(arm32_neon none 1 2 1)
corrbank_winograd_transforms(arm32_neon)
corrbank_winograd_product(arm32_neon tiles 2 4)
corrbank_winograd_product(arm32_neon kernels 4 2)

corrbank_target(portable any "${baseline}" 4)
corrbank_kernel(portable rows 2 4)
corrbank_kernel(portable rows 4 2)
corrbank_kernel(portable rows 6 1)
corrbank_kernel(portable pixels 2 4)
corrbank_fft(portable 4 16 32 64 128 256)
corrbank_fft_product(portable tiles 1 2)
corrbank_fft_product(portable tiles 1 4)
corrbank_fft_product(portable kernels 2 1)
corrbank_fft_product(portable kernels 1 2)
corrbank_match(portable 2)
corrbank_dots(portable none ${baseline_taps} 2 1)
corrbank_winograd_transforms(portable)
corrbank_winograd_product(portable tiles 2 5)
corrbank_winograd_product(portable tiles 2 4)
corrbank_winograd_product(portable kernels 4 2)

# corrbank_cuda_kernel(WALK THREADS_X THREADS_Y COLUMNS ROWS KERNELS SIZE CHUNK): a row for CUDA. A block of THREADS_X x
# THREADS_Y threads, each with COLUMNS x ROWS x KERNELS sums; kernels of SIZE x SIZE taps, 0 for any size
# (tiled_algorithm.h says what each walk does).
#     thread: any size, any image.
#     warp:   one warp, COLUMNS 1; CHUNK channels at a time in shared memory. With SIZE 0 a kernel has at most
#             65 - THREADS_X columns, and CHUNK is 1.
#     patch:  all channels of the block's part of the image in shared memory: few channels.
# cuda.cmake has what each needs of shared memory.
if(CORRBANK_CUDA)
  corrbank_cuda_kernel(thread 128 1 1 6 16 0 0)
  corrbank_cuda_kernel(thread 128 1 1 10 4 0 0)
  corrbank_cuda_kernel(thread 32 1 1 4 8 0 0)
  corrbank_cuda_kernel(thread 128 1 1 6 16 1 0)

  corrbank_cuda_kernel(warp 32 1 1 8 16 3 4)
  corrbank_cuda_kernel(warp 32 1 1 8 8 3 4)
  corrbank_cuda_kernel(warp 32 1 1 4 16 3 4)
  corrbank_cuda_kernel(warp 16 2 1 4 16 3 4)
  corrbank_cuda_kernel(warp 8 4 1 8 8 3 4)
  corrbank_cuda_kernel(warp 8 4 1 4 16 3 4)
  corrbank_cuda_kernel(warp 32 1 1 16 4 3 4)
  corrbank_cuda_kernel(warp 32 1 1 4 16 5 2)
  corrbank_cuda_kernel(warp 16 2 1 4 16 5 2)
  corrbank_cuda_kernel(warp 8 4 1 4 16 5 2)
  corrbank_cuda_kernel(warp 32 1 1 4 16 7 1)
  corrbank_cuda_kernel(warp 16 2 1 4 16 7 1)
  corrbank_cuda_kernel(warp 8 4 1 4 16 7 1)
  corrbank_cuda_kernel(warp 32 1 1 8 16 0 1)
  corrbank_cuda_kernel(warp 16 2 1 8 16 0 1)

  corrbank_cuda_kernel(patch 32 4 4 2 8 0 0)
  corrbank_cuda_kernel(patch 8 16 4 2 8 0 0)
  corrbank_cuda_kernel(patch 8 16 4 2 16 0 0)
  corrbank_cuda_kernel(patch 8 8 4 2 8 0 0)
  corrbank_cuda_kernel(patch 8 16 4 4 4 0 0)
endif()
