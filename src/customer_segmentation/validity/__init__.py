"""Is a segmentation any good? Effects, agreement, claims and a Markov view, from counts and sums alone."""
