// Usage, and the entries of the model.
#include "main/Help.h"
#include "checkpoint/Checkpoint.h"
#include "io/Strings.h"
#include "train/Training.h"

namespace tenon {

void printHelp(Text &out, const char *program, const Signature &signature,
               int32_t standard) {
  out.print("usage: %s [NAME=VALUE | FILE]... [options]\n", program);
  out.add("\n"
          "VALUE: a number, a list like [[1, 2], [3, 4]], .npy, .npz or @FILE\n"
          "\n"
          "  --entry NAME        call this entry\n"
          "  --run NAME          call several, with the inputs behind each\n"
          "  -o FILE.npz|-       write all results\n"
          "  -o NAME=FILE.npy    write one result\n"
          "  --full              print all elements\n"
          "  --cast              convert inputs inexactly too\n"
          "  --threads N         default: all cores\n"
          "  --device NAME       cpu, cuda, cuda:1 or auto (default): where to "
          "run\n"
          "  --cpu v2|v3|v4      at most the code for this x86-64 level\n"
          "  --bench[=SECONDS]   measure calls; --json adds JSON\n"
          "  --shape NAME=1x28   sizes of its random inputs\n"
          "  --profile[=FILE]    time per kernel; FILE: Chrome trace\n"
          "  --check-numerics    fail when a result is not finite\n");
  if (stringFunctions())
    out.add(stringFunctions()->help);
  if (tenon_main_model.checkpoints)
    out.add(tenon_main_model.checkpoints->help);
  if (tenon_main_model.training)
    out.add(tenon_main_model.training->help);
  out.add("\nentries:\n");
  for (int32_t i = 0; i < signature.entryCount; ++i) {
    const EntrySpec &entry = signature.entries[i];
    out.print("  %s%s\n", entry.name, i == standard ? " (default)" : "");
    char type[1024];
    for (int32_t k = 0; k < entry.inputCount + entry.outputCount; ++k) {
      bool input = k < entry.inputCount;
      const TensorSpec &spec =
          input ? entry.inputs[k] : entry.outputs[k - entry.inputCount];
      out.print(
          "    %s%s: %s%s\n", input ? "" : "-> ", spec.name,
          formatType(type, sizeof type, spec.dtype, spec.rank, spec.shape),
          spec.hasDefault ? ", may be left out" : "");
    }
  }
}

} // namespace tenon
