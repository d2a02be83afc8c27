//===- Schedule.h - learning rates by Keras's names -----------------------===//

#ifndef TENON_COMPILER_TRAINING_SCHEDULE_H
#define TENON_COMPILER_TRAINING_SCHEDULE_H

#include "compiler/training/Call.h"
#include "dialects/graph/Expression.h"

#include <functional>

namespace tenon::training {

/// The float32 learning rate at a float32 scalar, the number of steps done.
using Schedule = std::function<graph::Tensor(graph::Tensor step)>;

/// Keras's `optimizers.schedules` (Keras 3), by class or function name.
llvm::Expected<Schedule> makeSchedule(const Call &call);

std::vector<std::string> scheduleNames();

} // namespace tenon::training

#endif // TENON_COMPILER_TRAINING_SCHEDULE_H
