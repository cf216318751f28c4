#!/usr/bin/env python3
"""Writes the ctypes declarations of python/credits from what the libraries themselves say.

    python3 tools/python_abi.py [OUTDIR]        OUTDIR: python/credits if not given

For each library below BUILD (build if not set) one module: constants from its headers by the preprocessor (CC, cc if
not set), structs, callbacks and functions from the binary interface that tools/abi.sh describes. A library that was not
built is left out, and its module left alone. libcredit's also has the fields of the records, as crd_record_fields() of
the library tells them. tests/python/abi.sh makes all of it again and compares.

Invariants:
1. What a struct looks like in Python is compared with the XML, member by member, before anything is written.
2. A handle (a struct that no public header defines) has no members, so nothing can look into it.
3. A callback takes text as an address: it may come with a length instead of a NUL.
"""
import ast
import ctypes
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET

BUILD = os.environ.get("BUILD", "build")
CC = os.environ.get("CC", "cc").split()
# Module, library, header, and the module that has the types the two share.
MODULES = [
    ("_abi", "libcredit.so", "credit.h", None),
    ("_abi_sqlite", "libcredit-sqlite.so", "credit/sqlite.h", "_abi"),
    ("_abi_postgres", "libcredit-postgres.so", "credit/postgres.h", "_abi"),
    ("_abi_testkit", "libcredit-testkit.so", "credit/testkit.h", "_abi"),
]
PLAIN = {
    "int8_t": "c_int8", "int16_t": "c_int16", "int32_t": "c_int32", "int64_t": "c_int64",
    "uint8_t": "c_uint8", "uint16_t": "c_uint16", "uint32_t": "c_uint32", "uint64_t": "c_uint64",
    "char": "c_char", "int": "c_int", "void": "None", "size_t": "c_size_t",
}
# What is a macro of the headers and no constant.
NO_CONSTANT = {"CRD_API", "CRD_CALL", "CRD_BEGIN", "CRD_END"}


def constants(header):
    """The CRD_… constants that a header defines, with its includes, as {name: value} in the order of the names."""
    text = subprocess.run([*CC, "-std=c99", "-Iinclude", "-E", "-dM", "-x", "c", "-include", header, os.devnull],
                          check=True, capture_output=True, text=True).stdout
    macros = dict(re.findall(r"^#define (CRD_\w+) (.+)$", text, re.M))
    macros = {name: body for name, body in macros.items() if name not in NO_CONSTANT and "{" not in body}

    def value(name):
        body = re.sub(r"\bU?INT(?:32|64)_C\s*\(", "(", macros[name])
        body = re.sub(r"\b(0[xX][0-9a-fA-F]+|\d+)[uUlL]*\b", r"\1", body)
        body = re.sub(r"\bCRD_\w+\b", lambda m: str(value(m.group())), body)
        if body.startswith('"'):
            return ast.literal_eval(body)
        if not re.fullmatch(r"[0-9a-fA-FxX()+*<|\s-]+", body):
            sys.exit(f"python_abi.py: {name} is no constant I can read: {macros[name]}")
        return eval(body, {"__builtins__": {}})
    return {name: value(name) for name in sorted(macros)}


class Interface:
    """The XML of one library."""

    def __init__(self, library):
        with tempfile.NamedTemporaryFile() as out:
            subprocess.run(["sh", "tools/abi.sh", out.name, library], check=True)
            root = ET.parse(out.name).getroot()
        self.nodes, self.structs, self.functions, self.typedefs = {}, {}, {}, {}
        for node in root.iter():
            if "id" in node.attrib and node.tag != "subrange":
                self.nodes.setdefault(node.get("id"), node)
            name = node.get("name", "")
            if node.tag == "class-decl" and name.startswith("crd_") and not name.startswith("crd__"):
                if name not in self.structs or node.get("is-declaration-only") is None:
                    self.structs[name] = node
            elif node.tag == "typedef-decl" and name.startswith("crd_") and not name.startswith("crd__"):
                self.typedefs[name] = node
        exported = {symbol.get("name") for symbol in root.iter("elf-symbol")}
        for node in root.iter("function-decl"):
            # Where another file's declaration was seen first, abidw does not tie the function to its symbol.
            if node.get("name") in exported and (node.get("elf-symbol-id") or node.get("name") not in self.functions):
                self.functions[node.get("name")] = node
        missing = exported - set(self.functions) - {s for s in exported if not s.startswith("crd_")}
        if missing:
            sys.exit(f"python_abi.py: {library} exports {sorted(missing)}, of which its description knows nothing")
        self.used = set()

    def bare(self, ident):
        """A node without its qualifiers."""
        node = self.nodes[ident]
        while node.tag == "qualified-type-def":
            node = self.nodes[node.get("type-id")]
        return node

    def ctype(self, ident, callback=False):
        """A type as an expression of ctypes; `callback`: as the argument of one."""
        const = self.nodes[ident].tag == "qualified-type-def"
        node = self.bare(ident)
        name = node.get("name", "")
        if name in PLAIN:
            return PLAIN[name]
        if node.tag == "typedef-decl":
            target = self.bare(node.get("type-id"))
            if name in self.typedefs and self.pointed(target) is not None \
                    and self.pointed(target).tag == "function-type":
                return name
            return self.ctype(node.get("type-id"), callback)
        if node.tag == "class-decl":
            self.used.add(name)
            return name
        if node.tag == "array-type-def":
            return self.ctype(node.get("type-id")) + "".join(f" * {r.get('length')}" for r in node.iter("subrange"))
        if node.tag == "pointer-type-def":
            to = self.bare(node.get("type-id"))
            const = self.nodes[node.get("type-id")].tag == "qualified-type-def"
            if to.get("name") == "void" or (to.tag == "class-decl" and not to.get("name").startswith("crd_")):
                return "c_void_p"
            if to.get("name") == "char" and const:
                return "c_void_p" if callback else "c_char_p"
            if to.tag == "function-type":
                return self.function_type(to)
            return f"POINTER({self.ctype(node.get('type-id'))})"
        sys.exit(f"python_abi.py: no ctypes for {ET.tostring(node, 'unicode')[:200]} (const: {const})")

    def pointed(self, node):
        return self.bare(node.get("type-id")) if node.tag == "pointer-type-def" else None

    def function_type(self, node):
        types = [self.ctype(node.find("return").get("type-id"))]
        types += [self.ctype(p.get("type-id"), callback=True) for p in node.findall("parameter")]
        return f"CFUNCTYPE({', '.join(types)})"

    def members(self, name):
        """Of a struct: (member, type, offset in bytes), or None of a handle."""
        node = self.structs[name]
        if node.get("is-declaration-only"):
            return None
        return [(m.find("var-decl").get("name"), self.ctype(m.find("var-decl").get("type-id")),
                 int(m.get("layout-offset-in-bits")) // 8) for m in node.findall("data-member")]


def write_module(module, library, header, shared, outdir):
    abi = Interface(f"{BUILD}/{library}")
    known = constants(header)
    if shared:
        base = Interface(f"{BUILD}/{MODULES[0][1]}")
        for name in constants(MODULES[0][2]):
            known.pop(name, None)
    needed, functions = set(), []
    for name in sorted(abi.functions):
        node = abi.functions[name]
        if shared and name in base.functions:
            continue
        arguments = [abi.ctype(p.get("type-id")) for p in node.findall("parameter")]
        functions.append((name, abi.ctype(node.find("return").get("type-id")), arguments))
    own = set(abi.structs) if not shared else set(abi.structs) - set(base.structs)
    typedefs = {n for n, node in abi.typedefs.items() if node is not None
                and abi.pointed(abi.bare(node.get("type-id"))) is not None
                and abi.pointed(abi.bare(node.get("type-id"))).tag == "function-type"}
    if shared:
        typedefs -= set(base.typedefs)

    lines = [f'"""ctypes declarations of {library}: {header}. Generated by tools/python_abi.py; not to be edited."""',
             "# flake8: noqa", "# mypy: ignore-errors",
             "from ctypes import (CFUNCTYPE, POINTER, Structure, c_char, c_char_p, c_int, c_int32, c_int64, c_size_t,",
             "                    c_uint8, c_uint32, c_uint64, c_void_p)", ""]
    if shared:
        lines += [f"from .{shared} import *", ""]
    lines += [f"{name} = {value!r}" for name, value in known.items()]
    lines += [""]
    for name in sorted(own):
        lines += ["", f"class {name}(Structure):", "    pass", ""]
    lines += [""]
    for name in sorted(typedefs):
        lines += [f"{name} = {abi.function_type(abi.pointed(abi.bare(abi.typedefs[name].get('type-id'))))}"]

    # A struct that holds another by value comes after it.
    done, order = set(), []

    def place(name):
        if name in done or name not in own:
            return
        done.add(name)
        for _, ctype, _ in abi.members(name) or []:
            place(ctype.split(" ")[0])
        order.append(name)
    for name in sorted(own):
        place(name)
    for name in order:
        members = abi.members(name)
        if members is None:
            continue
        lines += [""]
        # A callback has a name of its own, such as crd_storage_read: what Python decorates its trampoline with.
        callbacks = {member: ctype for member, ctype, _ in members if ctype.startswith("CFUNCTYPE")}
        lines += [f"{name}_{member} = {ctype}" for member, ctype in callbacks.items()]
        lines += [f"{name}._fields_ = ["]
        lines += [f'    ("{member}", {f"{name}_{member}" if member in callbacks else ctype}),'
                  for member, ctype, _ in members] + ["]"]
    lines += ["", "# Name: (result, arguments)", "FUNCTIONS = {"]
    for name, result, arguments in functions:
        lines += [f'    "{name}": ({result}, [{", ".join(arguments)}]),']
    lines += ["}", ""]
    text = "\n".join(lines)

    # What was written is what the library was compiled with.
    scope = {"__name__": "credits._abi_check"}
    if shared:
        exec(open(f"{outdir}/{shared}.py").read(), scope)
    exec(text.replace(f"from .{shared} import *", ""), scope)
    for name in order:
        members = abi.members(name)
        if members is None:
            continue
        struct = scope[name]
        if ctypes.sizeof(struct) * 8 != int(abi.structs[name].get("size-in-bits")) or \
                any(getattr(struct, member).offset != offset for member, _, offset in members):
            sys.exit(f"python_abi.py: {name} comes out otherwise in ctypes than in {library}")
    if not shared:
        fields = record_fields(scope, known)
        exec(fields, scope)
        write_records(scope, outdir)
        text += fields
    with open(f"{outdir}/{module}.py", "w") as out:
        out.write(text)


# Members of records that are a number of an enumeration in python/credits/constants.py; None: of any record.
ENUMS = {
    ("credit", "credit_class"): "CreditClass", ("credit", "kind"): "CreditKind", ("credit", "state"): "CreditState",
    ("invoice", "kind"): "InvoiceKind", ("invoice", "state"): "InvoiceState", ("receipt", "state"): "ReceiptState",
    ("hold", "state"): "HoldState", ("entry", "type"): "EntryType", ("entry", "flags"): "EntryFlag",
    ("line", "document_kind"): "Kind", ("request", "command"): "Command", ("request", "created_kind"): "Kind",
    (None, "cause"): "Cause", (None, "flags"): "Flag", (None, "switches"): "Switch",
}


def write_records(scope, outdir):
    """The records as dataclasses, with the types of Python."""
    types = {scope["CRD_FIELD_DATE"]: "Optional[date]", scope["CRD_FIELD_INSTANT"]: "Optional[datetime]",
             scope["CRD_FIELD_MINOR"]: "Decimal", scope["CRD_FIELD_TEXT"]: "str", scope["CRD_FIELD_HASH"]: "bytes",
             scope["CRD_FIELD_BYTES"]: "bytes"}
    used, body, classes = set(), [], []
    for kind, (name, _, fields) in scope["RECORDS"].items():
        title = name.capitalize() + "Record"
        classes.append(f"    {kind}: {title},")
        body += ["", "", "@dataclass(frozen=True)", f"class {title}:",
                 f'    """{"An" if name[0] in "aeiou" else "A"} {name}, as crd_{name}_record of <credit/record.h> describes it."""']
        for field, ftype, _ in fields:
            enum = ENUMS.get((name, field), ENUMS.get((None, field)))
            if name == "line" and field in ("quantity", "unit_price"):
                python = "Decimal"
            elif enum:
                python = enum
                used.add(enum)
            else:
                python = types.get(ftype, "int")
            body.append(f"    {field}: {python}")
    enums = [f"    {name!r}: {{" + ", ".join(f"{field!r}: {ENUMS.get((name, field), ENUMS.get((None, field)))}"
                                            for field, _, _ in fields
                                            if ENUMS.get((name, field), ENUMS.get((None, field)))) + "},"
             for name, _, fields in scope["RECORDS"].values()]
    lines = ['"""The records of a ledger. Generated by tools/python_abi.py; not to be edited."""',
             "# flake8: noqa", "from dataclasses import dataclass", "from datetime import date, datetime",
             "from decimal import Decimal", "from typing import Any, Dict, Optional", "",
             f"from .constants import {', '.join(sorted(used))}"]
    lines += body + ["", "", "CLASSES: Dict[int, Any] = {", *classes, "}", "", "ENUMS: Dict[str, Dict[str, Any]] = {", *enums, "}", ""]
    with open(f"{outdir}/_records.py", "w") as out:
        out.write("\n".join(lines))


def record_fields(scope, known):
    """The fields of each kind of record, from the library: names and types."""
    library = ctypes.CDLL(os.path.abspath(f"{BUILD}/libcredit.so"))
    fields = library.crd_record_fields
    fields.restype, fields.argtypes = ctypes.c_void_p, [ctypes.c_uint32, ctypes.c_void_p, ctypes.c_void_p]
    library.crd_kind_name.restype = ctypes.c_char_p
    out = ["", "# Kind: (name, struct, ((field, type, part of the key), …)), as crd_record_fields() tells", "RECORDS = {"]
    for kind in range(1, known["CRD_KIND_COUNT"]):
        count, size = ctypes.c_uint64(), ctypes.c_uint32()
        array = ctypes.cast(fields(kind, ctypes.byref(count), ctypes.byref(size)),
                            ctypes.POINTER(ctypes.POINTER(scope["crd_field"])))
        name = library.crd_kind_name(kind).decode()
        if size.value != ctypes.sizeof(scope[f"crd_{name}_record"]):
            sys.exit(f"python_abi.py: crd_{name}_record has another size in the library")
        out.append(f'    {kind}: ("{name}", crd_{name}_record, (')
        for i in range(count.value):
            field = array[i][0]
            key = bool(field.flags & known["CRD_FIELD_KEY"])
            out.append(f'        ("{field.name.decode()}", {field.type}, {key}),')
        out.append("    )),")
    return "\n".join(out + ["}", ""])


def main():
    outdir = sys.argv[1] if len(sys.argv) > 1 else "python/credits"
    for module, library, header, shared in MODULES:
        if os.path.exists(f"{BUILD}/{library}"):
            write_module(module, library, header, shared, outdir)


if __name__ == "__main__":
    main()
