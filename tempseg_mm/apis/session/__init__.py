from .annotated_video import AnnotatedVideo
from .session import Session

__all__ = ['AnnotatedVideo', 'Session']
