// SPDX-License-Identifier: Apache-2.0
// On x86 loops are compiled for several processors and chosen at run time; elsewhere the baseline has its vectors.
#pragma once

#ifdef __x86_64__
#define FREEATM_VECTORISED __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define FREEATM_VECTORISED
#endif
/// What such a loop calls becomes a part of it: it is compiled for the same processor.
#define FREEATM_INLINED inline __attribute__((always_inline))
