// Strings as TensorFlow makes them.

// RUN: %tenon compile %s --cpu native -o %t
// RUN: %t --entry join 'a=["x", "", "long enough"]' 'b=-' | FileCheck %s --check-prefix=JOIN
// RUN: %t --entry split 'a=["a b", " c ", ""]' | FileCheck %s --check-prefix=SPLIT
// RUN: %t --entry pattern 'a=["aab-12", "Zz"]' | FileCheck %s --check-prefix=PATTERN
// RUN: %t --entry numbers 'x=[1.5, -2, 1e10, nan]' 'n=[7, -3]' 's=["1e3", " -.5 "]' | FileCheck %s --check-prefix=NUMBERS
// RUN: %t --entry parts 'a=["hello", "12345"]' 'at=[1, -2]' 'n=[2, 9]' | FileCheck %s --check-prefix=PARTS
// RUN: %t --entry hashes 'a=["", "a", "hello world, hello world, hello world, hello world, hello world, hello"]' | FileCheck %s --check-prefix=HASHES
// RUN: %t --entry lines 'a=["1,x", "2,\"q, r\""]' | FileCheck %s --check-prefix=LINES
// RUN: %t --entry moved 'a=["p", "q", "r"]' 'i=[2, 0]' | FileCheck %s --check-prefix=MOVED
// RUN: %t --entry grams 'a=["a", "b", "c"]' 's=[0, 2, 3]' | FileCheck %s --check-prefix=GRAMS
// RUN: %t --entry bytes 'a=["AB", "CD"]' | FileCheck %s --check-prefix=BYTES

// JOIN: j: [b'x+-' b'+-' b'long enough+-']
// JOIN-NEXT: all: b'x, , long enough'
// JOIN-NEXT: same: [False True False]
func.func @join(%a: tensor<?x!graph.string> {graph.name = "a"}, %b: tensor<!graph.string> {graph.name = "b"})
    -> (tensor<?x!graph.string> {graph.name = "j"}, tensor<!graph.string> {graph.name = "all"}, tensor<?xi1> {graph.name = "same"})
    attributes {graph.entry} {
  %j = graph.string_join %a, %b {separator = "+"} : (tensor<?x!graph.string>, tensor<!graph.string>) -> tensor<?x!graph.string>
  %all = graph.reduce_join %a {axes = array<i64: 0>, separator = ", "} : (tensor<?x!graph.string>) -> tensor<!graph.string>
  %none = graph.constant dense<""> : tensor<!graph.string>
  %same = graph.string_compare %a, %none : (tensor<?x!graph.string>, tensor<!graph.string>) -> tensor<?xi1>
  return %j, %all, %same : tensor<?x!graph.string>, tensor<!graph.string>, tensor<?xi1>
}

// SPLIT: words: [b'a' b'b' b'c']
// SPLIT-NEXT: pieces: [b'a' b'b' b'' b'c' b'' b'']
// SPLIT-NEXT: at:
// SPLIT-NEXT: {{\[\[}}0 0]
// SPLIT-NEXT: [0 1]
// SPLIT-NEXT: [1 0]
// SPLIT-NEXT: [1 1]
// SPLIT-NEXT: [1 2]
// SPLIT-NEXT: [2 0]]
// SPLIT-NEXT: shape: [3 3]
func.func @split(%a: tensor<?x!graph.string> {graph.name = "a"})
    -> (tensor<?x!graph.string> {graph.name = "words"}, tensor<?x!graph.string> {graph.name = "pieces"}, tensor<?x2xi64> {graph.name = "at"},
        tensor<2xi64> {graph.name = "shape"}) attributes {graph.entry} {
  %none = graph.constant dense<""> : tensor<!graph.string>
  %blank = graph.constant dense<" "> : tensor<!graph.string>
  %i, %words, %s = graph.string_split %a, %none {max_split = -1} : (tensor<?x!graph.string>, tensor<!graph.string>) -> (tensor<?x2xi64>, tensor<?x!graph.string>, tensor<2xi64>)
  %at, %pieces, %shape = graph.string_split %a, %blank {max_split = -1} : (tensor<?x!graph.string>, tensor<!graph.string>) -> (tensor<?x2xi64>, tensor<?x!graph.string>, tensor<2xi64>)
  return %words, %pieces, %at, %shape : tensor<?x!graph.string>, tensor<?x!graph.string>, tensor<?x2xi64>, tensor<2xi64>
}

// PATTERN: swapped: [b'12:aab' b'Zz']
// PATTERN-NEXT: first: [b'<a>ab-12' b'Zz']
// PATTERN-NEXT: word: [False True]
func.func @pattern(%a: tensor<2x!graph.string> {graph.name = "a"})
    -> (tensor<2x!graph.string> {graph.name = "swapped"}, tensor<2x!graph.string> {graph.name = "first"}, tensor<2xi1> {graph.name = "word"})
    attributes {graph.entry} {
  %two = graph.constant dense<"([a-z]+)-(\\d+)"> : tensor<!graph.string>
  %swap = graph.constant dense<"\\2:\\1"> : tensor<!graph.string>
  %one = graph.constant dense<"a"> : tensor<!graph.string>
  %mark = graph.constant dense<"<\\0>"> : tensor<!graph.string>
  %word = graph.constant dense<"(?i)z+"> : tensor<!graph.string>
  %s = graph.regex_replace %a, %two, %swap {all} : (tensor<2x!graph.string>, tensor<!graph.string>, tensor<!graph.string>) -> tensor<2x!graph.string>
  %f = graph.regex_replace %a, %one, %mark : (tensor<2x!graph.string>, tensor<!graph.string>, tensor<!graph.string>) -> tensor<2x!graph.string>
  %w = graph.regex_match %a, %word : (tensor<2x!graph.string>, tensor<!graph.string>) -> tensor<2xi1>
  return %s, %f, %w : tensor<2x!graph.string>, tensor<2x!graph.string>, tensor<2xi1>
}

// NUMBERS: texts: [b'1.50' b'-2.00' b'10000000000.00' b'nan']
// NUMBERS-NEXT: padded: [b'0007' b'-003']
// NUMBERS-NEXT: read: [ 1.e+03 -5.e-01]
// NUMBERS-NEXT: shown: b'n is [7 -3]'
func.func @numbers(%x: tensor<4xf32> {graph.name = "x"}, %n: tensor<2xi32> {graph.name = "n"}, %s: tensor<2x!graph.string> {graph.name = "s"})
    -> (tensor<4x!graph.string> {graph.name = "texts"}, tensor<2x!graph.string> {graph.name = "padded"}, tensor<2xf32> {graph.name = "read"},
        tensor<!graph.string> {graph.name = "shown"}) attributes {graph.entry} {
  %t = graph.as_string %x {precision = 2, width = -1, fill = ""} : (tensor<4xf32>) -> tensor<4x!graph.string>
  %p = graph.as_string %n {precision = -1, width = 4, fill = "0"} : (tensor<2xi32>) -> tensor<2x!graph.string>
  %r = graph.string_to_number %s : (tensor<2x!graph.string>) -> tensor<2xf32>
  %f = graph.string_format %n {format = "n is {}", placeholder = "{}", summarize = 3} : (tensor<2xi32>) -> tensor<!graph.string>
  return %t, %p, %r, %f : tensor<4x!graph.string>, tensor<2x!graph.string>, tensor<2xf32>, tensor<!graph.string>
}

// PARTS: part: [b'el' b'45']
// PARTS-NEXT: upper: [b'HELLO' b'12345']
// PARTS-NEXT: length: [5 5]
// PARTS-NEXT: coded: [b'aGVsbG8' b'MTIzNDU']
// PARTS-NEXT: back: [b'hello' b'12345']
func.func @parts(%a: tensor<2x!graph.string> {graph.name = "a"}, %at: tensor<2xi32> {graph.name = "at"}, %n: tensor<2xi32> {graph.name = "n"})
    -> (tensor<2x!graph.string> {graph.name = "part"}, tensor<2x!graph.string> {graph.name = "upper"}, tensor<2xi32> {graph.name = "length"},
        tensor<2x!graph.string> {graph.name = "coded"}, tensor<2x!graph.string> {graph.name = "back"}) attributes {graph.entry} {
  %p = graph.substr %a, %at, %n : (tensor<2x!graph.string>, tensor<2xi32>, tensor<2xi32>) -> tensor<2x!graph.string>
  %u = graph.string_case %a {upper} : (tensor<2x!graph.string>) -> tensor<2x!graph.string>
  %l = graph.string_length %a : (tensor<2x!graph.string>) -> tensor<2xi32>
  %c = graph.encode_base64 %a : (tensor<2x!graph.string>) -> tensor<2x!graph.string>
  %b = graph.decode_base64 %c : (tensor<2x!graph.string>) -> tensor<2x!graph.string>
  return %p, %u, %l, %c, %b : tensor<2x!graph.string>, tensor<2x!graph.string>, tensor<2xi32>, tensor<2x!graph.string>, tensor<2x!graph.string>
}

// HASHES: fast: [377723 291400 483611]
// HASHES-NEXT: strong: [383377 332029  41578]
// HASHES-NEXT: legacy: [598820 789371 186781]
func.func @hashes(%a: tensor<3x!graph.string> {graph.name = "a"})
    -> (tensor<3xi64> {graph.name = "fast"}, tensor<3xi64> {graph.name = "strong"}, tensor<3xi64> {graph.name = "legacy"}) attributes {graph.entry} {
  %f = graph.string_hash %a {buckets = 1000003, method = "fast", key = array<i64>} : (tensor<3x!graph.string>) -> tensor<3xi64>
  %s = graph.string_hash %a {buckets = 1000003, method = "strong", key = array<i64: 1, 2>} : (tensor<3x!graph.string>) -> tensor<3xi64>
  %l = graph.string_hash %a {buckets = 1000003, method = "legacy", key = array<i64>} : (tensor<3x!graph.string>) -> tensor<3xi64>
  return %f, %s, %l : tensor<3xi64>, tensor<3xi64>, tensor<3xi64>
}

// LINES: n: [1 2]
// LINES-NEXT: s: [b'x' b'q, r']
func.func @lines(%a: tensor<?x!graph.string> {graph.name = "a"}) -> (tensor<?xi32> {graph.name = "n"}, tensor<?x!graph.string> {graph.name = "s"})
    attributes {graph.entry} {
  %n = graph.constant dense<0> : tensor<1xi32>
  %s = graph.constant dense<"none"> : tensor<1x!graph.string>
  %r:2 = graph.decode_csv %a, %n, %s {delimiter = ",", quotes, missing = "", columns = array<i64>}
      : (tensor<?x!graph.string>, tensor<1xi32>, tensor<1x!graph.string>) -> (tensor<?xi32>, tensor<?x!graph.string>)
  return %r#0, %r#1 : tensor<?xi32>, tensor<?x!graph.string>
}

// MOVED: g: [b'r' b'p']
// MOVED-NEXT: c:
// MOVED-NEXT: {{\[\[}}b'p' b'q' b'r']
// MOVED-NEXT: [b'p' b'q' b'r']]
func.func @moved(%a: tensor<?x!graph.string> {graph.name = "a"}, %i: tensor<2xi32> {graph.name = "i"})
    -> (tensor<2x!graph.string> {graph.name = "g"}, tensor<2x?x!graph.string> {graph.name = "c"}) attributes {graph.entry} {
  %g = graph.gather %a, %i {axis = 0 : i64} : (tensor<?x!graph.string>, tensor<2xi32>) -> tensor<2x!graph.string>
  %c = graph.pack %a, %a {axis = 0 : i64} : (tensor<?x!graph.string>, tensor<?x!graph.string>) -> tensor<2x?x!graph.string>
  return %g, %c : tensor<2x!graph.string>, tensor<2x?x!graph.string>
}

// GRAMS: g: [b'<|a' b'a|b' b'b|>' b'<|c' b'c|>']
// GRAMS-NEXT: s: [0 3 5]
func.func @grams(%a: tensor<?x!graph.string> {graph.name = "a"}, %s: tensor<3xi64> {graph.name = "s"})
    -> (tensor<?x!graph.string> {graph.name = "g"}, tensor<3xi64> {graph.name = "s"}) attributes {graph.entry} {
  %g, %n = graph.string_ngrams %a, %s {separator = "|", widths = array<i64: 2>, left_pad = "<", right_pad = ">", pad_width = -1}
      : (tensor<?x!graph.string>, tensor<3xi64>) -> (tensor<?x!graph.string>, tensor<3xi64>)
  return %g, %n : tensor<?x!graph.string>, tensor<3xi64>
}

// BYTES: little:
// BYTES-NEXT: {{\[\[}}16961]
// BYTES-NEXT: [17475]]
// BYTES-NEXT: big:
// BYTES-NEXT: {{\[\[}}16706]
// BYTES-NEXT: [17220]]
func.func @bytes(%a: tensor<2x!graph.string> {graph.name = "a"}) -> (tensor<2x?xi16> {graph.name = "little"}, tensor<2x?xi16> {graph.name = "big"})
    attributes {graph.entry} {
  %l = graph.decode_raw %a : (tensor<2x!graph.string>) -> tensor<2x?xi16>
  %b = graph.decode_raw %a {big_endian} : (tensor<2x!graph.string>) -> tensor<2x?xi16>
  return %l, %b : tensor<2x?xi16>, tensor<2x?xi16>
}
