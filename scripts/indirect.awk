# Makes the calls of a module's large functions go through its table: awk -f scripts/indirect.awk MODULE MODULE,
# with a module in the text format of wasm-opt, which is read twice.
#
# V8 copies functions into their callers until a caller has three times its size, and optimizes each copy. It takes
# them in the order of the calls, even those that only report a panic. It does not look through the table. The
# compiler has already copied what is worth it.

# Lines of the longest function that stays as it is. A copy of it costs little, and it may be called often.
BEGIN { LONGEST = 50 }

# First reading: the type, the length and the number of calls of each function.
FNR == NR && /^ \(func / { name = $2; type[name] = type_of($0); begin = FNR }
FNR == NR && /^ \)$/ && name { names[++functions] = name; lines[name] = FNR - begin; name = "" }
FNR == NR && /^ +\(call \$/ { calls[callee()]++ }
FNR == NR { next }

# The most called come first: their places in the table have the shortest numbers.
FNR == 1 {
    for (i = 1; i <= functions; i++) {
        function_name = names[i]
        if (lines[function_name] <= LONGEST || !calls[function_name]) continue
        for (j = ++count; j > 1 && calls[large[j - 1]] < calls[function_name]; j--) large[j] = large[j - 1]
        large[j] = function_name
        expected += calls[function_name]
    }
}

/^ \(table \$0 [0-9]+ [0-9]+ funcref\)$/ {
    for (i = 1; i <= count; i++) {
        place[large[i]] = $3 + i - 1
        elements = elements " " large[i]
    }
    print " (table $0 " ($3 + count) " " ($3 + count) " funcref)"
    print " (elem (i32.const " $3 ")" elements ")"
    next
}

# A call with arguments has each of them, and its end, on lines of their own.
/^ +\(call \$/ && (callee() in place) {
    indent = substr($0, 1, index($0, "(") - 1)
    rewritten++
    last = indent " (i32.const " place[callee()] ")"
    print indent "(call_indirect " type[callee()]
    if ($2 ~ /\)$/) print last "\n" indent ")"
    else { ends[length(indent)] = last; open++ }
    next
}

/^ *\)$/ && ((length($0) - 1) in ends) {
    print ends[length($0) - 1]
    delete ends[length($0) - 1]
    open--
}

{ print }

# Another version of wasm-opt may write another layout.
END {
    if (!expected || rewritten != expected || open) {
        print "indirect.awk: " rewritten + 0 " of " expected + 0 " calls rewritten, " open + 0 " of them without an end" \
            > "/dev/stderr"
        exit 1
    }
}

# The function that the call on this line is for.
function callee(name) {
    name = $2
    sub(/\)$/, "", name)
    return name
}

# The parameters and the result of a function, without names.
function type_of(head) {
    sub(/^ \(func \$[^ ]+ */, "", head)
    gsub(/\(param \$[^ ]+ /, "(param ", head)
    return head
}
