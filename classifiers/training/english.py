"""Writes classifiers/english.txt, the words by which a text is known for English: those of the written comments.

A word counts where it stands in small letters (names do not) in two comments or more, and is English.
`python -m classifiers.training.english`
"""

from collections import Counter
from itertools import groupby

from classifiers.language import ENGLISH, plain, words_of
from classifiers.training.written import written

#: Of so many comments a word must be a part.
COMMENTS = 2
#: In the comments, and not English.
FOREIGN = frozenset(
    {"diolch", "yn", "fawr", "iawn", "dziekuje", "bardzo", "pani", "multumesc", "shukriya", "hai", "nai"}
)


def main() -> None:
    """Rewrite the list, a line for each first letter."""
    counts = Counter(word for text in texts() for word in {plain(w) for w in words_of(text) if w.islower()})
    words = sorted(word for word, count in counts.items() if count >= COMMENTS and word not in FOREIGN)
    lines = [" ".join(group) for _, group in groupby(words, key=lambda word: word[0])]
    ENGLISH.write_text("\n".join(lines) + "\n", encoding="utf-8")


def texts() -> list[str]:
    """The written comments."""
    return [comment.text for comment in written()]


if __name__ == "__main__":
    main()
