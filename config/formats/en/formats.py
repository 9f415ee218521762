"""Source: https://docs.djangoproject.com/en/5.2/topics/i18n/formatting/#creating-custom-format-files"""

DATE_FORMAT = "j M Y"
DATETIME_FORMAT = "j M Y, H:i"
