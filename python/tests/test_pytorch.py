"""PyTorch tensors on the CPU: in place, in and out."""

from __future__ import annotations

import numpy as np
import pytest
from reference import assert_within_bound, random_case

import corrbank

torch = pytest.importorskip("torch", reason="PyTorch is not installed")


def tensors(image_shape, kernels_shape):
    return tuple(torch.from_numpy(array) for array in random_case(image_shape, kernels_shape))


@pytest.mark.parametrize(
    ("image_shape", "kernels_shape"),
    [((2, 5, 10), (3, 2, 3, 3)), ((16, 31, 45), (10, 16, 5, 5)), ((1, 50, 61), (8, 1, 15, 15))],
)
def test_the_same_as_conv2d(image_shape, kernels_shape):
    image, kernels = tensors(image_shape, kernels_shape)
    responses = corrbank.correlate(image, kernels)
    assert type(responses) is torch.Tensor
    exact = torch.nn.functional.conv2d(image[None].double(), kernels.double())[0]
    torch.testing.assert_close(responses.double(), exact, rtol=0, atol=1e-6 * float(exact.abs().max()))
    assert_within_bound(responses.numpy(), image.numpy(), kernels.numpy())


def test_views_of_tensors_are_used_in_place():
    frame, kernels = tensors((5, 40, 64), (3, 4, 3, 3))
    view = frame[1:, 3:30, 5:50]
    assert not view.is_contiguous()
    assert torch.equal(corrbank.correlate(view, kernels), corrbank.correlate(view.contiguous(), kernels))


def test_the_result_is_of_the_kind_of_out_or_of_the_image():
    image, kernels = tensors((2, 9, 10), (3, 2, 3, 3))
    expected = corrbank.correlate(image, kernels)
    assert type(corrbank.correlate(image.numpy(), kernels)) is np.ndarray
    assert type(corrbank.correlate(image, kernels.numpy())) is torch.Tensor
    tensor, array = torch.zeros(3, 7, 8), np.zeros((3, 7, 8), np.float32)
    assert corrbank.correlate(image.numpy(), kernels, out=tensor) is tensor
    assert corrbank.correlate(image, kernels, out=array) is array
    assert torch.equal(tensor, expected)
    np.testing.assert_array_equal(array, expected.numpy())


def test_tensors_that_cannot_be_used_are_refused_with_the_reason():
    image, kernels = tensors((2, 9, 10), (3, 2, 3, 3))
    with pytest.raises(ValueError, match="image requires grad"):
        corrbank.correlate(image.clone().requires_grad_(), kernels)
    with pytest.raises(ValueError, match="kernels requires grad"):
        corrbank.Bank(torch.nn.Parameter(kernels))
    with pytest.raises(ValueError, match="out requires grad"):
        corrbank.correlate(image, kernels, out=torch.zeros(3, 7, 8, requires_grad=True))
    with pytest.raises(TypeError, match="image .* float64"):
        corrbank.correlate(image.double(), kernels)
    with pytest.raises(TypeError, match="image .* bfloat16"):
        corrbank.correlate(image.bfloat16(), kernels)
    with pytest.raises(ValueError, match="image has column stride"):
        corrbank.correlate(image.permute(2, 1, 0), kernels)
    with pytest.raises(ValueError, match="image of type torch.Tensor cannot"):
        corrbank.correlate(image.to("meta"), kernels)
    with pytest.raises(ValueError, match="image of type torch.Tensor cannot"):
        corrbank.correlate(image.to_sparse(), kernels)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="PyTorch sees no CUDA device")
def test_tensors_of_a_gpu_are_refused():
    image, kernels = tensors((2, 9, 10), (3, 2, 3, 3))
    with pytest.raises(ValueError, match="image lies on another device"):
        corrbank.correlate(image.cuda(), kernels)
