// Images: sampling, crops, morphology. Done by the runtime (runtime/host/).
// Images are [n, height, width, channels].
#ifndef TENON_GRAPH_IMAGE
#define TENON_GRAPH_IMAGE

include "dialects/graph/HostCall.td"

def Graph_PixelTensor : RankedTensorOf<[AnyInteger, AnyFloat]>;
def Graph_SingleTensor : RankedTensorOf<[F32]>;

class Graph_ImageOp<string mnemonic, string text, dag operands, dag outputs> : Graph_HostOp<mnemonic, [Pure]> {
  let summary = text;
  let arguments = operands;
  let results = outputs;
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
}

def Graph_ResizeAreaOp : Graph_ImageOp<"resize_area", "images of another size, each element the mean of the area that it covers",
    (ins Graph_PixelTensor:$images, Graph_IntTensor:$size, UnitAttr:$align_corners), (outs Graph_SingleTensor:$result)>;

def Graph_ScaleTranslateOp : Graph_ImageOp<"scale_translate", "images scaled, moved and sampled through a kernel",
    (ins Graph_PixelTensor:$images, Graph_IntTensor:$size, Graph_SingleTensor:$scale, Graph_SingleTensor:$translation,
     StrAttr:$kernel, UnitAttr:$antialias), (outs Graph_SingleTensor:$result)> {
  let description = [{
    `kernel` is one of lanczos1, lanczos3, lanczos5, gaussian, box, triangle,
    keyscubic and mitchellcubic; with `antialias` it widens where images shrink.
  }];
}

def Graph_ScaleTranslateGradOp : Graph_ImageOp<"scale_translate_grad", "derivative of scale_translate by the images, which have the shape of `images`",
    (ins Graph_SingleTensor:$grad, Graph_SingleTensor:$images, Graph_SingleTensor:$scale, Graph_SingleTensor:$translation,
     StrAttr:$kernel, UnitAttr:$antialias), (outs Graph_SingleTensor:$result)>;

def Graph_CropImageGradOp : Graph_ImageOp<"crop_image_grad", "derivative of crops by the images, of shape `size`",
    (ins Graph_SingleTensor:$grad, Graph_SingleTensor:$boxes, Graph_IntTensor:$numbers, Graph_IntTensor:$size, UnitAttr:$nearest),
    (outs RankedTensorOf<[F16, F32, F64]>:$result)>;

def Graph_CropBoxesGradOp : Graph_ImageOp<"crop_boxes_grad", "derivative of bilinear crops by the boxes",
    (ins Graph_SingleTensor:$grad, Graph_PixelTensor:$images, Graph_SingleTensor:$boxes, Graph_IntTensor:$numbers),
    (outs Graph_SingleTensor:$result)>;

class Graph_DilationBaseOp<string mnemonic, string text, dag more>
    : Graph_ImageOp<mnemonic, text, !con((ins Graph_PixelTensor:$images, Graph_PixelTensor:$filter), more,
        (ins DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$rates, UnitAttr:$same)), (outs Graph_PixelTensor:$result)>;

def Graph_DilationOp : Graph_DilationBaseOp<"dilation", "greatest sum of a window's elements and a filter [height, width, channels]", (ins)>;
def Graph_DilationImageGradOp : Graph_DilationBaseOp<"dilation_image_grad", "derivative of dilation by the images", (ins Graph_PixelTensor:$grad)>;
def Graph_DilationFilterGradOp : Graph_DilationBaseOp<"dilation_filter_grad", "derivative of dilation by the filter", (ins Graph_PixelTensor:$grad)>;

def Graph_ProjectiveTransformOp : Graph_ImageOp<"projective_transform", "images whose element (x, y) is that at the projection of (x, y)",
    (ins Graph_PixelTensor:$images, Graph_SingleTensor:$transforms, Graph_IntTensor:$size, Graph_SingleTensor:$fill,
     StrAttr:$mode, UnitAttr:$bilinear), (outs Graph_PixelTensor:$result)> {
  let description = [{
    A transform is eight numbers, one for all images or one for each. `mode` says
    what is outside: CONSTANT (`fill`), REFLECT, WRAP or NEAREST.
  }];
}

def Graph_ImageSummaryOp : Graph_ImageOp<"image_summary", "a Summary message with images as PNG files, at most `most`",
    (ins RankedTensorOf<[Graph_StringType]>:$tag, Graph_PixelTensor:$images, RankedTensorOf<[UI<8>]>:$bad_color, I64Attr:$most),
    (outs RankedTensorOf<[Graph_StringType]>:$result)> {
  let description = [{
    Elements are bytes, or numbers that are scaled to them: 0 to 255 when none is
    negative, else around 127. `bad_color` is where a number is not finite.
  }];
}

#endif // TENON_GRAPH_IMAGE
