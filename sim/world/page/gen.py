"""gen.py PAGE OUT: the page of a run as two C strings, what stands before its data and behind them."""
import sys

page = open(sys.argv[1], encoding="utf-8").read()
head, found, tail = page.partition("/*DATA*/null")
assert found, "the page has no place for the data"


def literal(name, text):
    lines = text.splitlines(keepends=True)
    quoted = (line.replace("\\", "\\\\").replace('"', '\\"').replace("?", "\\?").replace("\n", "\\n") for line in lines)
    return f"const char {name}[] =\n" + "\n".join(f'    "{line}"' for line in quoted) + ";\n"


with open(sys.argv[2], "w", encoding="utf-8") as out:
    out.write('#include "sim/world/html_page.h"\n\n')
    out.write(literal("html_head", head) + "\n" + literal("html_tail", tail))
