"""The addresses of the back-end."""

from django.urls import path
from prescribing import views

urlpatterns = [
    path("practitioners/<rpps>/session", views.open_session),
    path("documents", views.draft),
    path("documents/<uuid:document_id>", views.show),
    path("documents/<uuid:document_id>/issue", views.issue),
    path("documents/<uuid:document_id>/paper", views.paper),
]
