"""What ``agno-shell doctor`` and ``/doctor`` look at. Private.

``subject`` is what is looked at; ``surroundings`` goes through the configuration, the
plugins and the files beside the storage, of which ``rights`` knows who may read them;
``parts`` asks the provider and the storage, each of which looks at itself.
"""
