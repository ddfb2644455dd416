/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/base/hash.h"

#include <string.h>
#include <sys/random.h>
#include <time.h>

static uint64_t secret[3];

__attribute__((constructor)) static void choose_secret(void)
{
	struct timespec now;

	/* Early in boot there may be no randomness yet; the time and the stack's place do then. */
	if (getrandom(secret, sizeof(secret), GRND_NONBLOCK) != sizeof(secret)) {
		clock_gettime(CLOCK_REALTIME, &now);
		secret[0] = now.tv_nsec ^ (uint64_t)(uintptr_t)&now << 20;
		secret[1] = secret[0] * 0x9e3779b97f4a7c15;
		secret[2] = ~secret[1] * 0x9e3779b97f4a7c15;
	}
	secret[1] |= 1;
	secret[2] |= 1;
}

static uint64_t fold(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint64_t hash_bytes(const void *data, size_t len)
{
	const unsigned char *p = data;
	uint64_t h = secret[0] ^ len, word;

	for (; len >= sizeof(word); len -= sizeof(word), p += sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		h = fold(h ^ word, secret[1]);
	}
	if (len) {
		word = 0;
		memcpy(&word, p, len);
		h = fold(h ^ word, secret[1]);
	}
	return fold(h ^ secret[0], secret[2]);
}
