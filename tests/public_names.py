#!/usr/bin/env python3
"""Writes a C++ file that uses every public name beside `using namespace std` and `using namespace unroll`, and compiles it.

  public_names.py COMPILER FLAG...    run from the top of the repository
"""

import pathlib
import re
import subprocess
import sys
import tempfile

FUNCTION = re.compile(r"^(?:template <.*>\n(?:requires[^\n]*\n)?)?(?:inline |constexpr |\[\[nodiscard\]\] )*"
                      r"[A-Za-z_][\w:<>,&* ]*[\s&*>]([a-z]\w*)\(", re.M)
INCLUDE = re.compile(r"^#include <((?:autograd|nn)/[^>]+)>", re.M)
TYPE = re.compile(r"(?<!>\n)^(?:class|struct|enum class) ([A-Z]\w*)(?: final)?(?: :[^{;]*)? \{", re.M)
ALIAS = re.compile(r"^using ([A-Z]\w*) =", re.M)
NESTED = re.compile(r"namespace (?:[\w:]+::)?\w+ \{[\s\S]*?\n\}  // namespace (?:[\w:]+::)?(?:detail|extension|kernels|lambda|memory)[\w:]*")
NAMED = re.compile(r"namespace (schedule|saved_state|checkpoint_file) \{[\s\S]*?\n\}  // namespace \1")  # a user writes their names in full
STANDARD = """algorithm any array atomic bit bitset charconv chrono cmath compare complex concepts condition_variable cstddef cstdint
cstdio cstdlib cstring deque exception filesystem fstream functional future initializer_list iomanip ios iostream iterator
limits list map memory mutex new numbers numeric optional queue random ranges ratio regex set span sstream stack stdexcept
string string_view thread tuple type_traits typeinfo unordered_map unordered_set utility valarray variant vector""".split()


def public_headers():
    """What the umbrella headers include, and what that includes."""
    found, ahead = set(), ["autograd/autograd.hpp", "nn/nn.hpp"]
    while ahead:
        header = ahead.pop()
        if header not in found:
            found.add(header)
            ahead += INCLUDE.findall(pathlib.Path(header).read_text(encoding="utf-8"))
    return sorted(found)


def names():
    functions, types = set(), set()
    for header in public_headers():
        text = re.sub(r"//[^\n]*", "", NAMED.sub("", NESTED.sub("", pathlib.Path(header).read_text(encoding="utf-8"))))
        functions |= set(FUNCTION.findall(text))
        types |= set(TYPE.findall(text)) | set(ALIAS.findall(text))
    return sorted(functions - {"operator", "requires", "decltype"}), sorted(types)


def main():
    functions, types = names()
    if len(functions) < 150 or len(types) < 40:
        sys.exit(f"public_names: found only {len(functions)} functions and {len(types)} types: are the headers understood?")
    lines = [f"#include <{header}>" for header in STANDARD]
    lines += ["#include <autograd/autograd.hpp>", "#include <nn/nn.hpp>", "using namespace std;", "using namespace unroll;",
              "using namespace unroll::nn;"]
    # A name that two directives find as different things is an error where the template is read.
    lines += [f"template <class T> constexpr bool calls_{name} = requires(T t) {{ {name}(t); }};" for name in functions]
    lines += [f"template <class T> constexpr bool has_{name} = requires {{ sizeof({name}*); }};" for name in types]
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / "public_names.cpp"
        source.write_text("\n".join(lines) + "\n", encoding="utf-8")
        result = subprocess.run([*sys.argv[1:], "-std=c++20", "-fsyntax-only", str(source)], capture_output=True, text=True)
    ambiguous = sorted(set(re.findall(r"reference to .(\w+). is ambiguous", result.stderr)))
    if result.returncode:
        sys.exit(f"public_names: beside std these are ambiguous: {', '.join(ambiguous)}\n{result.stderr[-3000:]}")
    print(f"public_names: {len(functions)} functions and {len(types)} types beside std")


if __name__ == "__main__":
    main()
