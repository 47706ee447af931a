#!/usr/bin/env python3
"""Turns the ```cpp blocks of README.md and docs/**/*.md into C++ sources, which the tests compile and run.

- A page is one doctest test case, named after its path. Its ```cpp blocks are the body, cumulative and in order: what
  a block declares, the later ones use. They may assert with CHECK(...).
- ```cpp global: the block stands at namespace scope, before the test case (templates, functions, classes for several
  blocks).
- A block with `int main(` is a whole program: compiled on its own, run without arguments, must return 0.
- Both umbrella headers, doctest and `using namespace unroll;` are there already; #include lines may stand in any block.
- Blocks in another language are ignored. There is no way to leave out a cpp block: what a page shows must run.

Errors name the page and its line. Prints a line for each source, for CMake: kind|page|source, where kind is "page" or "program".
"""

import argparse
import pathlib
import re
import sys

FENCE = re.compile(r"^( *)(`{3,}|~{3,}) *([^`]*)$")
INCLUDE = re.compile(r"^\s*#\s*include\b")


class Block:
    def __init__(self, info, line):
        self.info = info.split()
        self.line = line  # of the first line of code
        self.code = []

    def is_cpp(self):
        return self.info[:1] == ["cpp"]

    def is_program(self):
        return any(re.search(r"\bint\s+main\s*\(", line) for line in self.code)


def blocks_of(path, page):
    blocks, block, closing, indent = [], None, "", 0
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        fence = FENCE.match(line)
        if block is None:
            if fence:
                indent, closing = len(fence[1]), fence[2]
                block = Block(fence[3], number + 1)
        elif fence and fence[2].startswith(closing) and not fence[3].strip():
            blocks.append(block)
            block = None
        else:
            stripped = len(line) - len(line.lstrip(" "))
            block.code.append(line[min(indent, stripped):])
    if block is not None:
        sys.exit(f"{page}:{block.line - 1}: this code block is never closed")
    for b in blocks:
        if b.is_cpp() and b.info[1:] not in ([], ["global"]):
            sys.exit(f"{page}:{b.line - 1}: '{' '.join(b.info)}': a block is 'cpp' or 'cpp global'")
    return [b for b in blocks if b.is_cpp()]


def code_of(block, page_path, keep):
    """The block's lines that `keep` accepts; the others are blank, so that the line numbers stay."""
    lines = [line if keep(line) else "" for line in block.code]
    return [f'#line {block.line} "{page_path}"', *lines] if any(lines) else []


def page_source(blocks, page, page_path, output):
    name = identifier(page)
    out = ["#include <autograd/autograd.hpp>", "#include <nn/nn.hpp>", "#include <doctest/doctest.h>"]
    for b in blocks:
        out += code_of(b, page_path, INCLUDE.match)
    # A namespace for each page: two pages may define a class of one name.
    out += [f"namespace page_{name} {{", "using namespace unroll;"]
    for b in blocks:
        if "global" in b.info:
            out += code_of(b, page_path, lambda line: not INCLUDE.match(line))
    out += [f'#line {len(out) + 2} "{output}"', f'TEST_CASE("{page}") {{']
    for b in blocks:
        if "global" not in b.info:
            out += code_of(b, page_path, lambda line: not INCLUDE.match(line))
    out += ["}", f"}}  // namespace page_{name}"]
    return out


def identifier(page):
    return re.sub(r"\W", "_", page.removesuffix(".md"))


def write(path, lines):
    text = "\n".join(lines) + "\n"
    if not path.exists() or path.read_text(encoding="utf-8") != text:  # untouched: not compiled again
        path.write_text(text, encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", type=pathlib.Path, required=True, help="folder the pages are named from")
    parser.add_argument("--output", type=pathlib.Path, required=True)
    parser.add_argument("pages", nargs="*")
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)

    for page in args.pages:
        page_path = args.source / page
        blocks = blocks_of(page_path, page)
        programs = [b for b in blocks if b.is_program()]
        others = [b for b in blocks if not b.is_program()]
        if others:
            source = args.output / f"page_{identifier(page)}.cpp"
            write(source, page_source(others, page, page_path, source))
            print("page", page, source, sep="|")
        for number, block in enumerate(programs, 1):
            source = args.output / f"page_{identifier(page)}_program{number}.cpp"
            write(source, code_of(block, page_path, lambda line: True))
            print("program", page, source, sep="|")


if __name__ == "__main__":
    main()
