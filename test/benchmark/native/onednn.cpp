// One primitive of oneDNN in the layouts that it asks for:
//   f32|bf16 matmul ROWS COLUMNS DEPTH
//   f32|bf16 softmax|layer_norm|gelu ROWS COLUMNS
//   f32|bf16 conv SIZE CHANNELS COLUMNS WINDOW STRIDE GROUPS DILATION
#include "protocol.h"
#include <dnnl.hpp>
#include <string>
#include <unordered_map>
#include <vector>

using namespace dnnl;
using Type = memory::data_type;
using Tag = memory::format_tag;

namespace {
engine cpu(engine::kind::cpu, 0);
stream queue(cpu);

struct Job {
  primitive work;
  std::unordered_map<int, memory> operands;
};

void call(void *job) {
  auto *self = static_cast<Job *>(job);
  self->work.execute(queue, self->operands);
  queue.wait();
}

/// Memory of this form with numbers in it.
memory filled(const memory::desc &form) {
  memory result(form, cpu);
  memory::dims sizes = form.dims(), strides(sizes.size());
  memory::dim count = 1;
  for (size_t i = sizes.size(); i-- > 0; count *= sizes[i])
    strides[i] = count;
  memory plain(memory::desc(sizes, Type::f32, strides), cpu);
  auto *data = static_cast<float *>(plain.get_data_handle());
  for (memory::dim i = 0; i < count; ++i)
    data[i] =
        float((uint32_t(i) * 2654435761u >> 8) & 0xffff) / 65536.0f - 0.5f;
  reorder(plain, result).execute(queue, plain, result);
  queue.wait();
  return result;
}

Job make(const std::string &kind, Type type,
         const std::vector<memory::dim> &n) {
  if (kind == "matmul") {
    matmul::primitive_desc form(matmul::desc({{n[0], n[2]}, type, Tag::ab},
                                             {{n[2], n[1]}, type, Tag::any},
                                             {{n[0], n[1]}, type, Tag::ab}),
                                cpu);
    return {matmul(form),
            {{DNNL_ARG_SRC, filled(form.src_desc())},
             {DNNL_ARG_WEIGHTS, filled(form.weights_desc())},
             {DNNL_ARG_DST, filled(form.dst_desc())}}};
  }
  auto inference = prop_kind::forward_inference;
  if (kind == "conv") {
    memory::dim size = n[0], channels = n[1], columns = n[2], window = n[3],
                stride = n[4], groups = n[5], dilation = n[6],
                pad = (window - 1) / 2 * dilation;
    memory::dim after =
        (size + 2 * pad - (window - 1) * dilation - 1) / stride + 1;
    memory::desc weights =
        groups > 1
            ? memory::desc(
                  {groups, columns / groups, channels / groups, window, window},
                  type, Tag::any)
            : memory::desc({columns, channels, window, window}, type, Tag::any);
    memory::desc bias({columns}, Type::f32, Tag::a);
    convolution_forward::primitive_desc form(
        convolution_forward::desc(
            inference, algorithm::convolution_direct,
            {{1, channels, size, size}, type, Tag::any}, weights, bias,
            {{1, columns, after, after}, type, Tag::any}, {stride, stride},
            {dilation - 1, dilation - 1}, {pad, pad}, {pad, pad}),
        cpu);
    return {convolution_forward(form),
            {{DNNL_ARG_SRC, filled(form.src_desc())},
             {DNNL_ARG_WEIGHTS, filled(form.weights_desc())},
             {DNNL_ARG_BIAS, filled(bias)},
             {DNNL_ARG_DST, filled(form.dst_desc())}}};
  }
  memory::desc x({n[0], n[1]}, type, Tag::ab);
  Job job{{}, {{DNNL_ARG_SRC, filled(x)}, {DNNL_ARG_DST, filled(x)}}};
  if (kind == "softmax") {
    job.work = softmax_forward({softmax_forward::desc(inference, x, 1), cpu});
  } else if (kind == "gelu") {
    job.work = eltwise_forward(
        {eltwise_forward::desc(inference, algorithm::eltwise_gelu_erf, x, 0, 0),
         cpu});
  } else if (kind == "layer_norm") {
    auto flags =
        normalization_flags::use_scale | normalization_flags::use_shift;
    job.work = layer_normalization_forward(
        {layer_normalization_forward::desc(inference, x, 1e-5f, flags), cpu});
    memory::desc width({n[1]}, Type::f32, Tag::a);
    job.operands[DNNL_ARG_SCALE] = filled(width);
    job.operands[DNNL_ARG_SHIFT] = filled(width);
  } else {
    failed("oneDNN", "unknown primitive");
  }
  return job;
}
} // namespace

int main(int argc, char **argv) {
  if (argc < 5)
    failed(argv[0], "f32|bf16 PRIMITIVE NUMBERS");
  std::vector<memory::dim> numbers;
  for (int i = 3; i < argc; ++i)
    numbers.push_back(atol(argv[i]));
  try {
    Job job =
        make(argv[2], argv[1] == std::string("bf16") ? Type::bf16 : Type::f32,
             numbers);
    call(&job);
    serve(call, &job);
  } catch (error &problem) {
    failed("oneDNN", problem.what());
  }
}
