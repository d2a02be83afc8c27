// The command line of generated programs, with the hand-written model.
#include "FakeModel.h"
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <stdlib.h>
#include <string>
#include <sys/stat.h>
#include <sys/wait.h>

namespace {

struct Outcome {
  int status;
  std::string out, error;
};

std::string read(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string folder() {
  static std::string made = [] {
    std::string path = testing::TempDir() + "tenon_command_XXXXXX";
    return std::string(mkdtemp(&path[0]));
  }();
  return made;
}

// Runs the program in the temporary folder; the arguments are for the shell.
Outcome run(const std::string &arguments) {
  std::string command = "cd " + folder() + " && " FAKE_PROGRAM " " + arguments +
                        " >stdout 2>stderr";
  int status = system(command.c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1,
          read(folder() + "/stdout"), read(folder() + "/stderr")};
}

void expectOut(const std::string &arguments, const std::string &out) {
  Outcome got = run(arguments);
  EXPECT_EQ(got.status, 0) << arguments << "\n" << got.error;
  EXPECT_EQ(got.out, out) << arguments;
  EXPECT_EQ(got.error, "") << arguments;
}

// Errors are exactly one line.
void expectError(const std::string &arguments, int status,
                 const std::string &error) {
  Outcome got = run(arguments);
  EXPECT_EQ(got.status, status) << arguments;
  EXPECT_EQ(got.error, "fake_program: error: " + error + "\n") << arguments;
  EXPECT_EQ(got.out, "") << arguments;
}

TEST(CommandLineTest, TakesLiteralsAndFiles) {
  expectOut("'x=[[1,2,3,4]]'", "[[3. 5. 7. 9.]]\n");
  expectOut("'[[1, 2, 3, 4], [5, 6, 7, 8.5]]'",
            "[[ 3.  5.  7.  9.]\n [11. 13. 15. 18.]]\n");
  expectOut("--entry fixed '[1,2,3]' -o y=y.npy", "");
  expectOut("--entry fixed y.npy", "[3. 4. 5.]\n");
  expectOut("--entry=fixed x=./y.npy", "[3. 4. 5.]\n");
  expectOut("--entry fixed @y.npy", "[3. 4. 5.]\n");
  expectOut("--entry fixed x=@y.npy", "[3. 4. 5.]\n");
  expectOut("--entry add a=y.npy b=y.npy scale=2", "[ 6.  9. 12.]\n");
  expectOut("--entry fixed '[1,2,3]' -o all.npz", "");
  expectOut("--entry fixed x=all.npz", "[3. 4. 5.]\n");
  expectOut("--entry fixed all.npz", "[3. 4. 5.]\n");
  expectOut("--entry pick 3", "3.5\n");
  expectError("--entry pick -1", 1,
              "node 'pick/gather': index -1 is outside [0, 4), 100% sure");
}

TEST(CommandLineTest, TakesStrings) {
  expectOut("--entry text 's=[\"a\", \"\"]' t=1", "[b'a' b'1']\n");
  expectOut("--entry text 's=[\"ab\", \"\"]' -o u.npz", "");
  expectOut("--entry text s=u.npz", "[b'ab' b'dflt']\n");
}

TEST(CommandLineTest, KeepsBfloat16) {
  expectOut("--entry half 'h=[1]' 'b=[1.5]' 'c=[1+2j]' -o half.npz", "");
  EXPECT_NE(read(folder() + "/half.npz").find("B__bf16.npy"),
            std::string::npos);
  expectOut("--entry half 'h=[1]' 'b=[1.5]' 'c=[1+2j]' -o B=b.npy", "");
  expectOut("--entry half 'h=[1]' b=b.npy 'c=[1+2j]'",
            "H: [1.]\nB: [1.5]\nC: [1.+2.j]\n");
}

TEST(CommandLineTest, RunsSeveralEntries) {
  expectOut("--run step x=1 --run step x=2.5 --run value",
            "0/total: 11.0\n1/total: 13.5\n2/total: 13.5\n2/bias: [0.5 1.5]\n");
  // An explicit first init replaces the automatic one.
  expectOut("--run calls", "1\n");
  expectOut("--run init --run step x=1", "1/total: 11.0\n");
  expectOut("--run step x=1 --run init --run value",
            "0/total: 11.0\n2/total: 10.0\n2/bias: [0.5 1.5]\n");
  expectOut("--run step x=1 --run step x=1 -o 1/total=last.npy", "");
  expectOut("--run step x=1 --run step x=1 -o steps.npz", "");
  EXPECT_NE(read(folder() + "/steps.npz").find("1/total.npy"),
            std::string::npos);
}

TEST(CommandLineTest, WritesToStdout) {
  Outcome got = run("--entry fixed '[1,2,3]' -o -");
  EXPECT_EQ(got.status, 0);
  EXPECT_EQ(got.out.substr(0, 4), "PK\3\4");
  EXPECT_EQ(run("--entry fixed '[1,2,3]' -o plain.npz").status, 0);
  EXPECT_EQ(got.out, read(folder() + "/plain.npz"));
}

TEST(CommandLineTest, RefusesWrongInputs) {
  expectError("--entry fixed 'x=[1,2]'", 1,
              "entry 'fixed', input 'x': expected float32[3], got float32[2]");
  expectError("--entry fixed", 1,
              "entry 'fixed', input 'x': expected float32[3], got nothing");
  expectError("--entry fixed q=3", 1,
              "entry 'fixed' has no input for 'q'; its inputs are: x");
  expectError("--entry calls 3", 1,
              "entry 'calls' has no input for '3'; its inputs are: none");
  expectError("--entry add 3", 1,
              "entry 'add' has no input for '3'; its inputs are: a, b, scale");
  expectError("--entry fixed 'x=[1,2,3]' 'x=[1,2,3]'", 1,
              "entry 'fixed', input 'x': it is given twice");
  expectError("--entry fixed x=hello", 1,
              "entry 'fixed', input 'x': 'hello' is neither a number, a list "
              "nor a file (.npy, .npz, @FILE)");
  expectError("--entry fixed missing.npy", 1,
              "missing.npy: No such file or directory");
  expectError("--entry fixed x=@/", 1,
              "entry 'fixed', input 'x': /: Is a directory");
  expectOut("--entry fixed '[1,2,3]' -o y=y.npy", "");
  expectError("--entry add y.npy", 1,
              "entry 'add' has 3 inputs: say which one y.npy is for, as "
              "NAME=y.npy");
  std::ofstream(folder() + "/bad.npy") << "nonsense";
  expectError("--entry fixed bad.npy", 1,
              "entry 'fixed', input 'x': bad.npy: not an .npy file");
  std::ofstream(folder() + "/bad.npz")
      << "PK nonsense, and more of it ........";
  expectError("--entry fixed bad.npz", 1,
              "bad.npz: not an .npz file, or cut off");
}

TEST(CommandLineTest, ConvertsOnlyWhenAsked) {
  expectOut("--entry grow 10 -o sum=long.npy", "");
  expectError("--entry pick long.npy", 1,
              "entry 'pick', input 'index': long.npy: expected int32, got "
              "int64 (--cast converts it)");
  expectError("--entry pick --cast long.npy", 1,
              "node 'pick/gather': index 10 is outside [0, 4), 100% sure");
  expectOut("--entry pick 1 -o y=y.npy", "");
  expectOut("--entry pick --cast y.npy", "1.5\n");
}

TEST(CommandLineTest, RefusesWrongOptions) {
  expectError("--foo", 2, "unknown option '--foo' (--help lists all)");
  expectError("--entry", 2, "--entry needs a value");
  expectError("--shape x=3", 2, "--json and --shape belong to --bench");
  expectError("--full=1", 2, "--full takes no value");
  expectError("--threads 0", 2, "--threads: expected a number from 1, got '0'");
  expectError("--bench=x", 2, "--bench: expected a number from 0.001, got 'x'");
  expectError("--entry fixed --run fixed", 2,
              "--entry names the only call; use --run for several");
  expectError("x=1 --run fixed", 2,
              "'x=1' stands before the first --run: inputs follow their --run");
  expectError("--entry fixed -o out.txt", 2,
              "-o: expected FILE.npz, NAME=FILE.npy or -, got 'out.txt'");
  expectError("--entry fixed '[1,2,3]' -o z=out.npy", 1,
              "-o z=out.npy: there is no result of that name");
  expectError("--entry value -o out.npy", 1,
              "-o out.npy: there are 2 results, write NAME=FILE.npy or "
              "FILE.npz");
  expectError("--device cuda:0", 1,
              "device 'cuda:0': this program has code for the CPU only");
  expectError("--entry nope", 1,
              "there is no entry 'nope'; the entries are: init, main, add, "
              "step, value, where, pick, text, half, fixed, grow, calls, "
              "divide");
}

TEST(CommandLineTest, KeepsVariables) {
  expectOut("--run step x=5 --save kept/model", "15.0\n");
  EXPECT_EQ(read(folder() + "/kept/checkpoint"),
            "model_checkpoint_path: \"model\"\n"
            "all_model_checkpoint_paths: \"model\"\n");
  // Neither init nor the model's own first values count then.
  expectOut("--entry step x=1 --restore kept", "16.0\n");
  expectOut("--run init --run step x=1 --restore kept/model",
            "1/total: 11.0\n");
  expectOut("--entry value --restore kept/model -o part.npz", "");
  expectOut("--entry value --restore part.npz", "total: 15.0\n"
                                                "bias: [0.5 1.5]\n");
  expectOut("--entry value -o total=total.npy", "");
  ASSERT_EQ(system(("cd " + folder() +
                    " && mkdir one && cp total.npy one/total.npy && cd one && "
                    "python3 -m zipfile -c ../one.npz total.npy")
                       .c_str()),
            0);
  expectError("--entry value --restore one.npz", 1,
              "--restore one.npz: the checkpoint lacks: bias "
              "(--restore-partial initialises them)");
  expectOut("--entry value --restore one.npz --restore-partial",
            "total: 10.0\nbias: [0.5 1.5]\n");
  expectOut("--entry value --restore-partial one.npz",
            "total: 10.0\nbias: [0.5 1.5]\n");
  expectError("--entry value --restore-partial", 2,
              "--restore-partial belongs to --restore PATH");
  expectError("--entry value --restore none", 1,
              "--restore none: there is neither a checkpoint nor a file of "
              "that name");
}

// Of the results, those that are summaries: here a value with the tag "a".
TEST(CommandLineTest, LogsSummaries) {
  expectOut("--run text '[\"\\n\\u0003\\n\\u0001a\", \"text\"]' t= "
            "--logdir logs/deep --cast -o u.npz",
            "");
  std::string path;
  for (const auto &entry :
       std::filesystem::directory_iterator(folder() + "/logs/deep"))
    path = entry.path();
  EXPECT_NE(path.find("/events.out.tfevents."), std::string::npos);
  std::string events = read(path);
  // Version: 12 bytes before an event of 24, 4 behind it. Summary: an event of
  // 16 bytes, for there is no step but 0.
  ASSERT_EQ(events.size(), 12u + 24 + 4 + 12 + 16 + 4);
  EXPECT_EQ(events.substr(21, 15), "\x1a\x0d"
                                   "brain.Event:2");
  EXPECT_EQ(events.substr(61, 7), "\x2a\x05\n\x03\n\x01"
                                  "a");
}

TEST(CommandLineTest, LeavesNoHalfFile) {
  expectError("--entry fixed '[1,2,3]' -o no/such/folder/x.npz", 1,
              "no/such/folder/x.npz: cannot write: No such file or directory");
  expectError("--run fixed '[1,2,3]' --run pick 9 -o half.npz", 1,
              "node 'pick/gather': index 9 is outside [0, 4), 100% sure");
  Outcome full = run("--entry fixed '[1,2,3]' -o y=/dev/full");
  EXPECT_EQ(full.status, 2); // no .npy
  EXPECT_EQ(run("--entry fixed '[1,2,3]' -o - >/dev/full; test $? = 1").status,
            0);
}

TEST(CommandLineTest, ShowsHelp) {
  Outcome got = run("--help");
  EXPECT_EQ(got.status, 0);
  EXPECT_NE(got.out.find("  main (default)\n    x: float32[?x4]\n    -> y: "
                         "float32[?x4]\n"),
            std::string::npos)
      << got.out;
  EXPECT_NE(got.out.find("    scale: float32[], may be left out\n"),
            std::string::npos);
}

TEST(CommandLineTest, Measures) {
  Outcome got = run("--bench=0.05 --json --shape x=10x4");
  EXPECT_EQ(got.status, 0) << got.error;
  size_t line = got.out.rfind("{\"entry\":\"main\",\"min_ms\":");
  ASSERT_NE(line, std::string::npos) << got.out;
  EXPECT_EQ(got.out.find('\n', line), got.out.size() - 1);
  EXPECT_NE(got.out.find(",\"allocations\":0}\n"), std::string::npos);
  EXPECT_EQ(run("--entry text --bench=0.01").status, 0);
  EXPECT_EQ(run("--entry half --bench=0.01").status, 0);
  EXPECT_EQ(run("--entry where --bench=0.01").status, 0);
  expectError("--bench=0.01 --shape x=10x5", 1,
              "--shape x=10x5: input 'x' is float32[?x4]");
  expectError("--bench=0.01 --shape q=10", 1,
              "--shape q=10: entry 'main' has no such input");
  expectError("--entry pick --bench=0.01 99", 1,
              "node 'pick/gather': index 99 is outside [0, 4), 100% sure");
}

TEST(CommandLineTest, Profiles) {
  for (std::string threads : {"1", "3"}) {
    Outcome got =
        run("'[[1,2,3,4]]' --profile=trace.json --threads " + threads);
    EXPECT_EQ(got.status, 0) << got.error;
    EXPECT_NE(got.out.find("  dense/double\n"), std::string::npos) << got.out;
    EXPECT_NE(got.out.find("  entry main\n"), std::string::npos) << got.out;
    std::string trace = read(folder() + "/trace.json");
    EXPECT_NE(trace.find("{\"name\":\"dense/double\",\"ph\":\"X\","),
              std::string::npos);
    EXPECT_EQ(trace.substr(trace.size() - 4), "\n]}\n");
  }
}

TEST(CommandLineTest, ChecksNumerics) {
  expectOut("--entry divide '[1,0,2]'", "[1.  inf 0.5]\n");
  expectError("--entry divide '[1,0,2]' --check-numerics", 1,
              "result 'y' is infinite at element 1; compiled with "
              "--check-numerics the program names the node");
  expectError("--run step x=nan --run calls --check-numerics", 1,
              "result '0/total' is nan at element 0; compiled with "
              "--check-numerics the program names the node");
}

TEST(CommandLineTest, PrintsAllWhenAsked) {
  std::string list = "[[0,1,2,3]";
  for (int i = 0; i < 300; ++i)
    list += ",[0,1,2,3]";
  Outcome some = run("'" + list + "]'"), all = run("'" + list + "]' --full");
  EXPECT_EQ(some.out, "[[1. 3. 5. 7.]\n [1. 3. 5. 7.]\n [1. 3. 5. 7.]\n ...\n "
                      "[1. 3. 5. 7.]\n [1. 3. 5. 7.]\n [1. 3. 5. 7.]]\n");
  EXPECT_EQ(all.out.size(), 301u * 15 + 1);
}

TEST(CommandLineTest, SaysWhenMemoryIsShort) {
  expectError("--entry grow 999999999999999", 1,
              "no memory for the call's scratch memory (999999999999999 "
              "bytes)");
}

} // namespace
