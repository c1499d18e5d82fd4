import cv2
import numpy as np
import pytest

from tempseg_mm.datasets.synthetic.scene import Camera, Motion, Outline, Scene, Surface

SIZE = (60, 90)


def turning(frames, *, centre, shift=(0.0, 0.0), degrees=0.0, zoom=1.0):
    """Motion by ``shift`` and ``degrees`` a frame, zooming to ``zoom`` at the last frame."""
    steps = np.arange(frames)
    angle, scale = np.deg2rad(degrees) * steps, np.linspace(1, zoom, frames)
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    linear = np.stack([cos, -sin, sin, cos], axis=-1).reshape(-1, 2, 2)
    return Motion(np.add(centre, np.multiply.outer(steps, shift)), linear)


def smooth_texture(seed, size=(80, 120)):
    noise = np.random.default_rng(seed).uniform(0, 255, (*size, 3)).astype(np.float32)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 4), None, 0, 255, cv2.NORM_MINMAX)


def make_scene(camera=None):
    change = np.array([[0.2, 0.1], [0.15, 0.18], [0.05, 0.2]])
    return Scene(*SIZE, (
        Surface(turning(3, centre=(44.5, 29.5), shift=(0.7, -0.4), degrees=1), smooth_texture(0)),
        Surface(turning(3, centre=(60.0, 30.0), shift=(-2.0, 1.0)), smooth_texture(1),
                Outline(15, change[::-1], np.ones(2))),
        Surface(turning(3, centre=(35.0, 28.0), shift=(4.0, 1.5), degrees=9, zoom=1.2), smooth_texture(2),
                Outline(14, change, np.array([0.3, 2.0]))),
        Surface(turning(3, centre=(50.0, 30.0)), smooth_texture(3), Outline(7, np.zeros((3, 1)), np.zeros(1))),
    ), target=2, camera=camera)


def inner(front):
    """(H, W) uint8 index of the surface; 9 within two pixels of another one."""
    front = front.astype(np.uint8)
    edge = cv2.morphologyEx(front, cv2.MORPH_GRADIENT, np.ones((5, 5))) > 0
    return np.where(edge, 9, front).astype(np.uint8)


@pytest.mark.parametrize('index', range(4))
@pytest.mark.parametrize('t', [0, 1])
def test_flow_follows_the_surface_exactly(index, t):
    """What is seen at x at frame t is seen at x + flow at frame t+1, for points on and off the surface."""
    surface = make_scene().surfaces[index]
    points = np.random.default_rng(0).uniform(0, 60, (500, 2))
    after = points + surface.flow(points, t)
    np.testing.assert_allclose(surface.to_canonical(after, t + 1), surface.to_canonical(points, t), atol=1e-10)
    np.testing.assert_allclose(surface.to_image(surface.to_canonical(points, t), t), points, atol=1e-10)
    if index:  # the outline is carried along too: inside stays inside
        assert np.array_equal(surface.depth_inside(points, t) > 0, surface.depth_inside(after, t + 1) > 0)


def test_translation_by_hand():
    circle = Outline(4, np.zeros((2, 1)), np.zeros(1))
    surface = Surface(turning(2, centre=(5.0, 5.0), shift=(3.0, -2.0)), smooth_texture(0), circle)
    np.testing.assert_allclose(surface.flow(np.array([[1.0, 2.0], [7.0, 7.0]]), 0), [[3, -2], [3, -2]])
    np.testing.assert_allclose(surface.depth_inside(np.array([[5.0, 5.0], [8.0, 5.0], [5.0, 11.0]]), 0), [4, 1, -2])


def test_area_agrees_with_counted_pixels():
    scene = make_scene()
    for t in range(3):
        counted = (scene.surfaces[2].depth_inside(scene.points, t) > 0).sum()
        assert scene.surfaces[2].area(t) == pytest.approx(counted, rel=0.03)


def test_layers_hide_each_other():
    scene = make_scene()
    front = scene.front(0)
    inside = np.stack([surface.depth_inside(scene.points, 0) > 0 for surface in scene.surfaces])
    np.testing.assert_array_equal(front, 3 - inside[::-1].argmax(axis=0))
    np.testing.assert_array_equal(scene.mask(0), inside[2] & ~inside[3])
    assert (inside[2] & inside[3]).any() and (inside[2] & inside[1]).any()  # or nothing is tested here


def test_written_flow_is_that_of_the_visible_surface():
    scene = make_scene()
    flow, front = scene.flow(1), scene.front(1)
    assert flow.dtype == np.float32 and flow.shape == (*SIZE, 2)
    for y, x in ((2, 2), (30, 35), (30, 70), (30, 50)):
        expected = scene.surfaces[front[y, x]].flow(np.array([[x, y]], float), 1)[0]
        np.testing.assert_allclose(flow[y, x], expected, rtol=1e-6, atol=1e-6)
    assert len({front[y, x] for y, x in ((2, 2), (30, 35), (30, 70), (30, 50))}) == 4


def test_next_frame_sampled_along_the_flow_is_this_frame():
    """Pixels agree where the same surface is seen in both frames, away from edges; without flow they do not."""
    scene = make_scene()
    image, after, flow = scene.image(0).astype(int), scene.image(1), scene.flow(0)
    at = (scene.points + flow).astype(np.float32)
    warped = cv2.remap(after, at, None, cv2.INTER_LINEAR).astype(int)
    then = cv2.remap(inner(scene.front(1)), at, None, cv2.INTER_NEAREST, borderValue=9)
    in_view = ((at >= 0) & (at <= np.array(SIZE[::-1]) - 1)).all(axis=-1)
    interior = (then == inner(scene.front(0))) & (then < 9) & in_view
    assert interior.mean() > 0.5 and set(np.unique(then[interior])) == {0, 1, 2, 3}
    error = np.abs(warped - image).max(axis=-1)[interior]
    assert error.mean() < 1.5 and error.max() < 8
    still = np.abs(after.astype(int) - image).max(axis=-1)[interior & (scene.front(0) == 2)]
    assert still.mean() > 15


def test_window_holds_the_whole_surface():
    scene = make_scene()
    for surface in scene.surfaces[1:]:
        for t in range(3):
            outside = np.ones(SIZE, bool)
            outside[surface.window(t, *SIZE)] = False
            assert (surface.depth_inside(scene.points, t)[outside] < -0.5).all()


def test_surface_out_of_view():
    gone = Surface(turning(2, centre=(-500.0, 10.0)), smooth_texture(0), Outline(5, np.zeros((2, 1)), np.zeros(1)))
    scene = Scene(20, 30, (Surface(turning(2, centre=(0.0, 0.0)), smooth_texture(1)), gone), target=1)
    assert not scene.mask(0).any() and scene.image(0).shape == (20, 30, 3)
    assert not scene.flow(0).any()


def test_camera_by_hand():
    camera = Camera(gain=np.array([1, 0.5]), slope=np.array([[0, 0], [0.4, 0]]), blur=np.zeros(2), noise=0, seed=0)
    gray = np.full((3, 5, 3), 100, np.float32)
    assert (camera.expose(gray, 0) == 100).all()
    np.testing.assert_array_equal(camera.expose(gray, 1)[0, :, 0], [30, 40, 50, 60, 70])


def test_noise_is_repeatable_and_new_in_each_frame():
    camera = Camera(gain=np.ones(2), slope=np.zeros((2, 2)), blur=np.zeros(2), noise=3, seed=5)
    gray = np.full((40, 50, 3), 100, np.float32)
    np.testing.assert_array_equal(camera.expose(gray, 0), camera.expose(gray, 0))
    assert camera.expose(gray, 0).std() == pytest.approx(3, rel=0.1)
    assert (camera.expose(gray, 0) != camera.expose(gray, 1)).mean() > 0.8


def test_blur_lowers_contrast():
    camera = Camera(gain=np.ones(1), slope=np.zeros((1, 2)), blur=np.full(1, 2.0), noise=0, seed=0)
    image = make_scene().image(0).astype(np.float32)
    assert cv2.Laplacian(camera.expose(image, 0), cv2.CV_32F).std() < 0.5 * cv2.Laplacian(image, cv2.CV_32F).std()
