from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0035_trail_reading'),
    ]

    operations = [
        migrations.AddField(
            model_name='operation',
            name='texts_removed_at',
            field=models.DateTimeField(editable=False, help_text='When typed text was taken out', null=True),
        ),
        migrations.CreateModel(
            name='SealedTile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('height', models.PositiveSmallIntegerField(help_text='8: a tile of 256 leaves; 16: of 256 such tiles; …')),
                ('place', models.BigIntegerField(help_text='0, 1, 2, … among those of this height')),
                ('root', models.CharField(max_length=64)),
            ],
            options={
                'default_permissions': (),
                'constraints': [models.UniqueConstraint(fields=('height', 'place'), name='sealed_tile_once')],
            },
        ),
    ]
