// A model written by hand in place of a compiled one: what the compiler would
// put into an object file, for tests of the runtime alone.
#ifndef TENON_TEST_RUNTIME_FAKEMODEL_H
#define TENON_TEST_RUNTIME_FAKEMODEL_H

#include "tenon/abi.h"

// Entries of tenon_main_model, in this order:
enum FakeEntry {
  FakeInit,   // init(): total = 10
  FakeMain,   // main(x: f32[Nx4]) -> y: f32[Nx4] = 2 x + 1, by rows in parallel
  FakeAdd,    // add(a: f32[N], b: f32[N], scale: f32[] = 1) -> c: f32[N]
  FakeStep,   // step(x: f32[]) -> total: f32[]; total += x
  FakeValue,  // value() -> total: f32[], bias: f32[2]
  FakeWhere,  // where(x: bool[N]) -> index: int64[M]
  FakePick,   // pick(index: i32[]) -> y: f32[]; fails outside [0, 4)
  FakeText,   // text(s: string[N], t: string[] = "dflt") -> u: string[N]
  FakeHalf,   // half(h: f16[N], b: bf16[N], c: c64[N]) -> the same, named H B C
  FakeFixed,  // fixed(x: f32[3]) -> y: f32[3] = x + 1, in one function
  FakeGrow,   // grow(n: i64[]) -> sum: i64[], with n bytes of scratch
  FakeCalls,  // calls() -> n: i32[], a counter outside of the state
  FakeDivide, // divide(x: f32[3]) -> y: f32[3] = 1 / x
  FakeEntryCount
};

// The bytes of the model's signature.
const void *fakeSignature(size_t *bytes);

#endif // TENON_TEST_RUNTIME_FAKEMODEL_H
