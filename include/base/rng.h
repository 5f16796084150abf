/*
 * Seeded random numbers: the same seed gives the same numbers on every machine
 * (xoshiro256** by Blackman and Vigna, seeded through splitmix64).
 */
#ifndef GPTSCOPE_BASE_RNG_H
#define GPTSCOPE_BASE_RNG_H

#include <stdbool.h>
#include <stdint.h>

struct rng {
    uint64_t s[4];
    double spare; /* normal numbers come in pairs */
    bool has_spare;
};

void rng_seed(struct rng *r, uint64_t seed);
uint64_t rng_u64(struct rng *r);
double rng_uniform(struct rng *r); /* [0, 1) with 53 random bits */
double rng_normal(struct rng *r);  /* mean 0, standard deviation 1 */

#endif
