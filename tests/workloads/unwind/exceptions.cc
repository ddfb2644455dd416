/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exceptions: throws from the depth of templates and catches in 'catches': main, catches,
 * Level<12>::down ... Level<0>::down, then half of the time the throwing, half cpp_burn.
 *
 *   exceptions SECONDS
 */
#include <stdexcept>
#include <string>
#include <vector>

#include "chain.h"

BURN(cpp_burn)

static volatile unsigned long sink;

/* Destructors on the way: frames have landing pads. */
struct Holder {
	std::vector<std::string> names;
	explicit Holder(int n) : names(2, std::string(32, 'a' + n))
	{
	}
	~Holder()
	{
		sink = sink + names.size();
	}
};

template <int N> struct Level {
	static NOINLINE void down(bool throws)
	{
		Holder holder(N);

		Level<N - 1>::down(throws);
		sink = sink + holder.names[0].size();
	}
};

template <> struct Level<0> {
	static NOINLINE void down(bool throws)
	{
		if (throws)
			throw std::runtime_error("from the depth");
		cpp_burn(0.001);
		STAY();
	}
};

static NOINLINE void catches(double until)
{
	while (cpu_now() < until) {
		for (int i = 0; i < 50; i++) {
			try {
				Level<12>::down(true);
			} catch (const std::exception &e) {
				sink = sink + e.what()[0];
			}
		}
		Level<12>::down(false);
	}
}

int main(int argc, char **argv)
{
	catches(cpu_now() + seconds_of(argc, argv));
	return 0;
}
