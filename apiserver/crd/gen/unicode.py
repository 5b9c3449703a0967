"""unicode.py FACTS OUT.c: the tables behind pattern_class.c from facts/unicode.txt."""
import sys


def ranges(words):
    at = 0
    for word in words:
        gap, _, more = word.partition(".")
        first = at + int(gap, 16)
        at = first + int(more or "0", 16)
        yield first, at


def main(facts, out):
    flat, names, folds = [], [], []
    for line in open(facts, encoding="ascii"):
        words = line.split()
        if words[0] == "class":
            start = len(flat)
            flat += ranges(words[2:])
            names += [(name, start, len(flat) - start) for name in words[1].split(",")]
        elif words[0] == "fold":
            orbit = [int(w, 16) for w in words[1:]]
            folds += zip(orbit, orbit[1:] + orbit[:1])
    with open(out, "w", encoding="ascii") as f:
        f.write('#include "crd/pattern_class.h"\n\n')
        f.write("const rune_range unicode_ranges[] = {\n")
        f.writelines("  {0x%x, 0x%x},\n" % r for r in flat)
        f.write("};\nconst unicode_class unicode_classes[] = {\n")
        f.writelines('  {"%s", %d, %d},\n' % n for n in sorted(names))
        f.write("};\nconst uint32_t unicode_class_count = %d;\n" % len(names))
        f.write("const unicode_fold unicode_folds[] = {\n")
        f.writelines("  {0x%x, 0x%x},\n" % p for p in sorted(folds))
        f.write("};\nconst uint32_t unicode_fold_count = %d;\n" % len(folds))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
