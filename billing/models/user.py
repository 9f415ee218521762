"""People who sign in: the vendor's staff and the Offices' own people. They sign in with their e-mail address."""

import hashlib
import uuid
from collections.abc import Iterable
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models, transaction
from django.db.models.functions import Lower

from billing import clock, errors
from billing.models.address_field import AddressField
from billing.models.searched import Part, Searched


class UserManager(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=email.strip(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Refuse: a superuser passes every permission check, and no record would say who made one. Raises: Defect."""
        raise errors.Defect("There are no superusers. Use: python manage.py create_administrator EMAIL")


class User(Searched, AbstractBaseUser, PermissionsMixin):
    ADDRESS = "email"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    email = AddressField()
    name = models.CharField(max_length=200, blank=True)
    is_staff = models.BooleanField(
        default=False, help_text="May enter the admin. What they may do there is their groups'."
    )
    is_active = models.BooleanField(default=True)
    access_number = models.PositiveIntegerField(
        default=0, db_default=0, editable=False, help_text="Sessions and API tokens hold only while it stays the same."
    )
    saved_views = models.JSONField(
        null=True, editable=False, help_text="Views of lists that this person saved, by the name of the list"
    )
    created_at = models.DateTimeField(default=clock.wall, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [
            models.UniqueConstraint(
                Lower("email"), name="user_email_unique", violation_error_message="This address is taken."
            )
        ]

    def __str__(self) -> str:
        return self.email

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        """Save, together with what must end because of it: see ``billing.access.ending``.

        The access number is left alone: a row that was read before somebody's access ended must not bring it back.
        """
        if update_fields is None and not self._state.adding:
            update_fields = {one.name for one in self._meta.concrete_fields if not one.primary_key} - {"access_number"}
        with transaction.atomic(using=kwargs.get("using")):
            super().save(*args, update_fields=update_fields, **kwargs)

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Return what each session keeps, so that another password or access number ends it. Django compares it.

        It is the same with every ``secret``, because what a session keeps is signed with SECRET_KEY anyway. Otherwise
        Django would give a session another key while SECRET_KEY is replaced, and allauth would end it.
        """
        return hashlib.sha256(f"billing.User sessions\n{self.password}\n{self.access_number}".encode()).hexdigest()


class UserPart(Part):
    """A part of a person's name or e-mail address."""

    subject = models.ForeignKey(User, on_delete=models.CASCADE, related_name="search_parts", db_index=False)

    class Meta(Part.Meta):
        abstract = False
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["subject", "part"], name="user_part_once")]
        indexes = [
            models.Index(fields=["part", "subject"], name="user_by_part", opclasses=["varchar_pattern_ops", "int8_ops"])
        ]
